// The table of current connections, sorted and filtered here; the listener decides which are listed.

import type { ConnectionShown, StatsDocument } from '../../dist/figures/index.js'
import { byId, element } from '../element.ts'
import { Children, setText } from './view.ts'
import { bytes, count, duration } from './format.ts'
import { headOf, row, text, type Column } from './table.ts'

const FIRST = 100

interface Sorted extends Column<ConnectionShown> {
  readonly by: (connection: ConnectionShown) => string | number
}

const columns: readonly Sorted[] = [
  place('Peer', ({ peer }) => peer),
  place('Source', ({ source }) => source),
  place('Connected to', ({ destination }) => destination, 'place aside'),
  place('Service', ({ service }) => service),
  place('Upstream', ({ upstream }) => upstream),
  { ...text('TLS', tlsText, { kind: 'tls' }), by: tlsText },
  { ...text('State', stateText, { kind: 'state' }), by: stateText },
  { ...text('Age', ({ age }) => duration(age), { kind: 'number' }), by: ({ age }) => age },
  { ...text('Up', ({ bytesUp }) => bytes(bytesUp), { kind: 'number' }), by: ({ bytesUp }) => bytesUp },
  {
    ...text('Down', ({ bytesDown }) => bytes(bytesDown), { kind: 'number' }),
    by: ({ bytesDown }) => bytesDown,
  },
]

export class ConnectionsTable {
  readonly #children: Children<ConnectionShown>
  readonly #heads: ReadonlyMap<Sorted, HTMLElement>
  readonly #filter = byId('connections-filter', HTMLInputElement)
  readonly #more = byId('connections-more', HTMLButtonElement)
  #connections: StatsDocument['connections'] = { total: 0, list: [] }
  #sorting: { readonly column: Sorted; readonly isReversed: boolean } | undefined
  #isWhole = false

  constructor() {
    const table = byId('connections', HTMLTableElement)
    table.setAttribute('role', 'table')
    const buttons = columns.map(
      column => [column, element('button', { type: 'button' }, column.label)] as const,
    )
    const byLabel = new Map(buttons.map(([{ label }, button]) => [label, button]))
    const body = element('tbody', { role: 'rowgroup' })
    table.append(
      headOf(columns, ({ label }) => byLabel.get(label) ?? label),
      body,
    )
    this.#children = new Children(body, {
      keyOf: ({ id }) => id,
      make: () => row(columns, classOf),
    })
    this.#heads = new Map(buttons.map(([column, button]) => [column, button.closest('th') ?? button]))
    for (const [column, button] of buttons) button.addEventListener('click', () => this.#sortBy(column))
    this.#filter.addEventListener('input', () => this.#render())
    this.#more.addEventListener('click', () => {
      this.#isWhole = !this.#isWhole
      this.#render()
    })
  }

  show(connections: StatsDocument['connections']): void {
    this.#connections = connections
    this.#render()
  }

  #sortBy(column: Sorted): void {
    const isReversed = this.#sorting?.column === column && !this.#sorting.isReversed
    this.#sorting = { column, isReversed }
    this.#render()
  }

  #render(): void {
    const { total, list } = this.#connections
    const wanted = this.#filter.value.toLowerCase().split(' ')
    const found = list.filter(connection => wanted.every(word => textOf(connection).includes(word)))
    const sorted = this.#sorted(found)
    const shown = this.#isWhole ? sorted : sorted.slice(0, FIRST)
    this.#children.show(shown)
    this.#renderHeads()
    setText(byId('connections-count', HTMLElement), count(total))
    setText(byId('connections-note', HTMLElement), noteOf(this.#connections, found.length, shown.length))
    this.#more.hidden = found.length <= FIRST
    setText(this.#more, this.#isWhole ? `show ${count(FIRST)}` : `show all ${count(found.length)}`)
  }

  #sorted(list: readonly ConnectionShown[]): readonly ConnectionShown[] {
    if (!this.#sorting) return list
    const { column, isReversed } = this.#sorting
    const sorted = [...list].sort((a, b) => compare(column.by(a), column.by(b)))
    return isReversed ? sorted.reverse() : sorted
  }

  #renderHeads(): void {
    for (const [column, head] of this.#heads) {
      const isSorted = this.#sorting?.column === column
      const isNumber = column.kind === 'number'
      const isDescending = isNumber !== this.#sorting?.isReversed
      if (isSorted) head.setAttribute('aria-sort', isDescending ? 'descending' : 'ascending')
      else head.removeAttribute('aria-sort')
    }
  }
}

function place(label: string, of: (connection: ConnectionShown) => string | null, kind = 'place'): Sorted {
  const words = (connection: ConnectionShown): string => of(connection) ?? '–'
  return { ...text(label, words, { kind }), by: words }
}

/** Without a header the source is the peer, so the address is shown once. */
function classOf({ state, peer, source }: ConnectionShown): string {
  return peer === source ? `${state} direct` : state
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number'
    ? b - a
    : String(a).localeCompare(String(b), 'en', { numeric: true })
}

function tlsText({ tls, sni }: ConnectionShown): string {
  return [tls, sni].filter(part => part !== null).join(' ')
}

function stateText({ state, reason }: ConnectionShown): string {
  return reason === null ? state : `${state}, ${reason}`
}

function textOf(connection: ConnectionShown): string {
  const { id, service, peer, source, destination, upstream } = connection
  const parts = [id, service, peer, source, destination, upstream, tlsText(connection), stateText(connection)]
  return parts.join(' ').toLowerCase()
}

function noteOf({ total, list }: StatsDocument['connections'], found: number, shown: number): string {
  if (total === 0) return 'There is none at the moment.'
  const parts = [
    shown < found ? `The first ${count(shown)} of ${count(found)} rows.` : '',
    found < list.length ? `${count(list.length - found)} filtered out.` : '',
    list.length < total
      ? `Only ${count(list.length)} of ${count(total)} are listed, the oldest of each service.`
      : '',
  ]
  return parts.filter(part => part !== '').join(' ')
}
