// Problems, worst first, for an operator who was just woken up.

import type { ServiceShown, StatsDocument, UpstreamShown } from '../../dist/figures/index.js'
import { byId, element } from '../element.ts'
import { Children, setAttribute, setText, type View } from './view.ts'
import { count, duration, plural } from './format.ts'

export type Level = 'good' | 'off' | 'warn' | 'bad'

export interface Trouble {
  /** Stays while numbers in the text change, so that a screen reader reads it once. */
  readonly key: string
  readonly level: Level
  readonly text: string
}

type Candidate = readonly [applies: boolean, level: Level, text: string]

const NEAR = 0.9
/** More would hide what follows. */
const MOST = 12
/** As in deploy/prometheus/alerts.yml. */
const EXPIRES_SOON = 14 * 86_400_000

export class TroubleList {
  readonly #children = new Children<Trouble>(byId('trouble', HTMLUListElement), {
    keyOf: ({ key }) => key,
    make: item,
  })

  show(document: StatsDocument): void {
    const all = [...troublesOfProgram(document), ...document.services.flatMap(troublesOfService)]
    const sorted = [
      ...all.filter(({ level }) => level === 'bad'),
      ...all.filter(({ level }) => level === 'warn'),
    ]
    const [shown, more] = [sorted.slice(0, MOST), sorted.length - MOST]
    if (more > 0) shown.push({ key: 'more', level: 'warn', text: `and ${count(more)} more` })
    this.#children.show(sorted.length > 0 ? shown : [allWell(document)])
  }
}

export function levelOfUpstream({ state }: Pick<UpstreamShown, 'state'>): Level {
  if (state === 'up') return 'good'
  if (state === 'drained') return 'off'
  return state === 'down' ? 'bad' : 'warn'
}

export function levelOfService({ state }: ServiceShown): Level {
  if (state === 'listening') return 'good'
  return state === 'closed' ? 'bad' : 'warn'
}

export function activeOf({ active, datagrams }: ServiceShown): number {
  return datagrams?.flows.active ?? active
}

export function limitOf({ limits, datagrams }: ServiceShown): number | null {
  return limits[datagrams ? 'flows' : 'connections'] ?? null
}

export function takenOf(service: ServiceShown): number {
  const limit = limitOf(service)
  return limit === null ? 0 : activeOf(service) / Math.max(1, limit)
}

export function sumOf(series: readonly number[]): number {
  return series.reduce((sum, value) => sum + value, 0)
}

export function troublesOfService(service: ServiceShown): readonly Trouble[] {
  const { name, state, lastMinute, datagrams } = service
  const errors = sumOf(lastMinute.errors)
  const troubles: Candidate[] = [
    [state === 'idle' || state === 'closed', 'bad', `it is ${state}`], // one problem for all that drain
    [
      takenOf(service) >= NEAR,
      'warn',
      `${count(activeOf(service))} of ${count(limitOf(service) ?? 0)} ${datagrams ? 'flows' : 'connections'} taken`,
    ],
    [errors > 0, 'warn', `${plural(errors, 'error')} in the last minute`],
    ...service.queues.map(queueFills),
    ...outagesOf(service),
    ...service.upstreams.flatMap(membersInTrouble),
    ...service.certificates.map(expiry),
  ]
  return applying(troubles).map(({ key, level, text }) => {
    return { key: `${name} ${key}`, level, text: `${name}: ${text}` }
  })
}

function outagesOf({ upstreams }: ServiceShown): readonly Candidate[] {
  const routes = [...new Set(upstreams.map(({ route }) => route))]
  return routes.flatMap((route): readonly Candidate[] => {
    const used = upstreams.filter(each => each.route === route && each.state !== 'drained')
    const down = used.filter(({ state }) => state === 'down' || state === 'probing')
    const where = route === '*' ? '' : ` of the route ${route}`
    if (used.length === 0) return [[true, 'bad', `all upstreams${where} are drained`]]
    if (used.length > 1 && down.length === used.length)
      return [[true, 'bad', `all ${count(down.length)} upstreams${where} are down`]]
    return down.map(each => [true, 'bad', `upstream ${each.name}${where} is ${each.state}${why(each)}`])
  })
}

function queueFills({ route, waiting, size }: ServiceShown['queues'][number]): Candidate {
  const where = route === '*' ? 'the queue' : `the queue of the route ${route}`
  return [waiting > size / 2, 'warn', `${count(waiting)} of ${count(size)} places in ${where} taken`]
}

function expiry({ file, expires }: ServiceShown['certificates'][number]): Candidate {
  const left = Date.parse(expires) - Date.now()
  const when = left > 0 ? `expires in ${duration(left)}` : `has expired ${duration(-left)} ago`
  return [left < EXPIRES_SOON, left > 0 ? 'warn' : 'bad', `the certificate ${file} ${when}`]
}

function membersInTrouble({ name, state, members, leftOut }: UpstreamShown): readonly Candidate[] {
  return [
    ...members.map((each): Candidate => {
      const isAlone = state === 'up' && each.state === 'down'
      return [isAlone, 'warn', `upstream ${name}: ${each.address} is down${why(each)}`]
    }),
    [leftOut > 0, 'warn', `upstream ${name}: ${count(leftOut)} of its addresses left out`],
  ]
}

export function failureOf({ lastFailure }: Pick<UpstreamShown, 'lastFailure'>): string {
  return lastFailure === null ? '' : `${lastFailure.code} ${duration(lastFailure.age)} ago`
}

function why(upstream: Pick<UpstreamShown, 'lastFailure'>): string {
  return upstream.lastFailure === null ? '' : ` (${upstream.lastFailure.code})`
}

function troublesOfProgram({ state, totals, process, log }: StatsDocument): readonly Trouble[] {
  const { openFiles, maxFiles, eventLoopDelay } = process
  const troubles: Candidate[] = [
    [state === 'starting', 'warn', 'starting: not all services listen yet'],
    [
      state === 'no_upstream',
      'bad',
      'not ready: a service that `admin.readyNeeds` names has no upstream that is up',
    ],
    [state === 'draining', 'warn', `draining: ${plural(totals.active, 'connection')} left`],
    [
      openFiles !== null && maxFiles !== null && openFiles >= NEAR * maxFiles,
      'bad',
      `${count(openFiles ?? 0)} of ${count(maxFiles ?? 0)} files are open`,
    ],
    [
      eventLoopDelay.p99 >= 100,
      'warn',
      `the event loop is late by ${String(Math.round(eventLoopDelay.p99))} ms`,
    ],
    [log.lost > 0, 'warn', `${plural(log.lost, 'line')} of the log lost`],
  ]
  return applying(troubles)
}

function applying(candidates: readonly Candidate[]): readonly Trouble[] {
  return candidates
    .map(([applies, level, text], place) => ({ applies, key: String(place), level, text }))
    .filter(({ applies }) => applies)
}

function allWell({ services }: StatsDocument): Trouble {
  const upstreams = services.flatMap(each => each.upstreams)
  const up = upstreams.filter(({ state }) => state === 'up').length
  const drained = upstreams.filter(({ state }) => state === 'drained').length
  const rest = drained > 0 ? `, ${count(drained)} drained` : ''
  return {
    key: 'none',
    level: 'good',
    text: `none: ${plural(services.length, 'service')} listening, ${plural(up, 'upstream')} up${rest}, no error in the last minute`,
  }
}

function item(): View<Trouble> {
  const made = element('li')
  return {
    element: made,
    update: ({ level, text }) => {
      setAttribute(made, 'class', level)
      setText(made, text)
    },
  }
}
