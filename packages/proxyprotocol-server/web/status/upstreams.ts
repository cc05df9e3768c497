// Lines of upstreams in the table of services, with a line for each member.

import type { ServiceShown, UpstreamShown } from '../../dist/figures/index.js'
import { badge } from './badge.ts'
import { element } from '../element.ts'
import type { View } from './view.ts'
import { count, duration, plural } from './format.ts'
import { row, several, text, words, type Column } from './table.ts'
import { failureOf, levelOfUpstream } from './trouble.ts'

export interface UpstreamLine extends Pick<
  UpstreamShown,
  'state' | 'active' | 'total' | 'failures' | 'lastFailure'
> {
  readonly key: string
  readonly kind: 'upstream' | 'upstream member' | 'upstream route'
  readonly title: string
  readonly detail: string
  readonly backup: boolean
  readonly peak: number | null
  readonly limit: number | null
  readonly waiting: number | null
}

const number = { kind: 'number' }

function nothing(): string {
  return ''
}

function numberOr(value: number | null): string {
  return value === null ? '' : count(value)
}

const columns: readonly Column<UpstreamLine>[] = [
  { label: 'Upstream', make: name, kind: 'name' },
  { label: 'State', make: state, kind: 'state' },
  text('Now', ({ active }) => count(active), number),
  text('Most', ({ peak }) => numberOr(peak), number),
  text('Limit', ({ limit }) => numberOr(limit), number),
  text('Waiting', ({ waiting }) => numberOr(waiting), { kind: 'number rare' }),
  text('Total', ({ total }) => count(total), number),
  text('New /s', nothing, { kind: 'chart empty' }),
  text('Up', nothing, { kind: 'number empty' }),
  text('Down', nothing, { kind: 'number empty' }),
  text('Traffic', nothing, { kind: 'chart empty' }),
  text('Errors', ({ failures }) => count(failures), number),
  text('Last failure', failureOf, { kind: 'reasons' }),
]

/** A route has a line of its own where there are several, or where connections may have to wait. */
export function upstreamLines({ upstreams, queues }: ServiceShown): readonly UpstreamLine[] {
  return queues.flatMap(queue => {
    const own = upstreams.filter(({ route }) => route === queue.route)
    const isPlain = queues.length === 1 && own.every(({ limit }) => limit === null)
    return [...(isPlain ? [] : [routeLine(queue, own)]), ...own.flatMap(linesOf)]
  })
}

function routeLine(
  { route, waiting, size }: ServiceShown['queues'][number],
  upstreams: readonly UpstreamShown[],
): UpstreamLine {
  const sum = (of: (upstream: UpstreamShown) => number): number =>
    upstreams.reduce((all, each) => all + of(each), 0)
  return {
    ...{
      kind: 'upstream route',
      key: `${route} `,
      title: route === '*' ? 'default route' : `route ${route}`,
    },
    detail: `queue ${count(waiting)} of ${count(size)}`,
    ...{ state: upstreams.find(({ state }) => state === 'up')?.state ?? upstreams[0]?.state ?? 'down' },
    ...{ active: sum(({ active }) => active), total: sum(({ total }) => total) },
    ...{ failures: sum(({ failures }) => failures), lastFailure: null },
    ...{ backup: false, peak: null, limit: null, waiting },
  }
}

function linesOf(upstream: UpstreamShown): readonly UpstreamLine[] {
  const { name: title, route, members, resolution } = upstream
  const key = `${route} ${title}`
  const [only] = members
  const checks = resolution === null && only ? checksOf(only) : ''
  const detail = [detailOf(upstream), checks].filter(part => part !== '').join(', ')
  const first = { ...upstream, kind: 'upstream', key, title, detail, waiting: null } as const
  if (resolution === null) return [first]
  const others = members.map(member => {
    const { address } = member
    return {
      ...member,
      kind: 'upstream member',
      key: `${key} ${address}`,
      title: address,
      detail: checksOf(member),
      ...{ backup: false, peak: null, limit: null, waiting: null },
    } as const
  })
  return [first, ...others]
}

function checksOf({ checks }: UpstreamShown['members'][number]): string {
  if (checks === null) return ''
  return `${plural(checks.passed, goodCheck(checks))}, ${count(checks.failed)} failed`
}

export function upstreamLine(): View<UpstreamLine> {
  return row(columns, each => `${each.kind} ${levelOfUpstream(each)}`)
}

function name(): View<UpstreamLine> {
  return several(
    words(({ title }) => title, { class: 'title' }),
    words(({ detail }) => detail, { class: 'detail' }),
  )
}

function state(): View<UpstreamLine> {
  const backup = element('span', { class: 'badge plain' }, 'backup')
  return several(
    badge(levelOfUpstream, (each: UpstreamLine) => each.state),
    { element: backup, update: each => (backup.hidden = !each.backup) },
  )
}

function detailOf({ name: title, address, weight, resolution, leftOut }: UpstreamShown): string {
  const place = address === title ? '' : address
  return [
    place,
    weight === 1 ? '' : `weight ${count(weight)}`,
    resolution === null ? '' : answerOf(resolution),
    leftOut > 0 ? `${count(leftOut)} left out` : '',
  ]
    .filter(part => part !== '')
    .join(', ')
}

function goodCheck({ type }: NonNullable<UpstreamShown['members'][number]['checks']>): string {
  return type === 'tcp' ? 'good check' : `good ${type} check`
}

function answerOf({ age, failures }: NonNullable<UpstreamShown['resolution']>): string {
  const answer = age === null ? 'not looked up yet' : `looked up ${duration(age)} ago`
  return failures > 0 ? `${answer}, ${plural(failures, 'look-up')} failed` : answer
}
