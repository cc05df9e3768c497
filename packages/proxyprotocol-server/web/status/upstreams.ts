// Lines of upstreams in the table of services, with a line for each member.

import type { UpstreamShown } from '../../dist/figures/index.js'
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
  readonly kind: 'upstream' | 'upstream member'
  readonly title: string
  readonly detail: string
  readonly backup: boolean
  readonly peak: number | null
}

const number = { kind: 'number' }

function nothing(): string {
  return ''
}

const columns: readonly Column<UpstreamLine>[] = [
  { label: 'Upstream', make: name, kind: 'name' },
  { label: 'State', make: state, kind: 'state' },
  text('Now', ({ active }) => count(active), number),
  text('Most', ({ peak }) => (peak === null ? '' : count(peak)), number),
  text('Limit', nothing, { kind: 'number empty' }),
  text('Waiting', nothing, { kind: 'number rare empty' }),
  text('Total', ({ total }) => count(total), number),
  text('New /s', nothing, { kind: 'chart empty' }),
  text('Up', nothing, { kind: 'number empty' }),
  text('Down', nothing, { kind: 'number empty' }),
  text('Traffic', nothing, { kind: 'chart empty' }),
  text('Errors', ({ failures }) => count(failures), number),
  text('Last failure', failureOf, { kind: 'reasons' }),
]

export function upstreamLines(upstream: UpstreamShown): readonly UpstreamLine[] {
  const { name: title, members, resolution } = upstream
  const first = { ...upstream, kind: 'upstream', key: title, title, detail: detailOf(upstream) } as const
  if (resolution === null) return [first]
  const others = members.map(member => {
    const { address, checks } = member
    const detail =
      checks === null ? '' : `${plural(checks.passed, goodCheck(checks))}, ${count(checks.failed)} failed`
    const key = `${title} ${address}`
    return {
      ...member,
      kind: 'upstream member',
      key,
      title: address,
      detail,
      backup: false,
      peak: null,
    } as const
  })
  return [first, ...others]
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

function detailOf({ name: title, route, address, weight, resolution, leftOut }: UpstreamShown): string {
  const place = address === title ? '' : address
  return [
    route === '*' ? '' : `route ${route}`,
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
