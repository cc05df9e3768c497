import type { StatsDocument } from '../../dist/figures/index.js'
import { ConnectionsTable } from './connections.ts'
import { byId } from '../element.ts'
import { setAttribute, setText } from './view.ts'
import { clock, duration } from './format.ts'
import { Live, type Connection } from './live.ts'
import { RefusalsTable } from './refusals.ts'
import { ServicesTable } from './services.ts'
import { Summary } from './summary.ts'
import { TroubleList } from './trouble.ts'

const [summary, troubles, services, refusals, connections] = [
  new Summary(),
  new TroubleList(),
  new ServicesTable(),
  new RefusalsTable(),
  new ConnectionsTable(),
]
let last: { readonly document: StatsDocument; readonly at: Date } | undefined
let connection: Connection = 'connecting'

const live = new Live({
  onDocument: document => {
    if (last && last.document.version !== document.version) location.reload() // it may concern other elements
    last = { document, at: new Date() }
    summary.show(document)
    troubles.show(document)
    services.show(document.services)
    refusals.show(document)
    connections.show(document.connections)
    tell()
  },
  onChange: now => {
    connection = now
    tell()
  },
})
byId('resume', HTMLButtonElement).addEventListener('click', () => live.open())
setInterval(tell, 1_000)

function tell(): void {
  const text = textOf(connection)
  setAttribute(document.documentElement, 'data-connection', connection)
  setText(byId('connection', HTMLElement), last ? `${connection} · ${clock(last.at)}` : connection)
  byId('lost', HTMLElement).hidden = text === undefined
  setText(byId('lost-text', HTMLElement), text ?? '')
  document.title = [text === undefined ? last?.document.state : connection, 'proxyprotocol-server'].join(
    ' – ',
  )
}

function textOf(now: Connection): string | undefined {
  const since = last
    ? ` What you see is from ${clock(last.at)}, ${duration(Date.now() - last.at.getTime())} ago.`
    : ''
  switch (now) {
    case 'connecting':
    case 'live':
      return undefined
    case 'lost': {
      const drained = last?.document.draining ? ' It was draining: it may have ended.' : ''
      return `No connection to the admin listener.${drained}${since} Trying again.`
    }
    case 'displaced':
      return `Other pages were opened, and the listener has so many places only.${since}`
    case 'paused':
      return `Paused, as the page was hidden.${since}`
  }
}
