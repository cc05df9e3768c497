// Concludes from observations what a server accepts, refuses, or leaves unclear.

import type { Observation, Step } from './doctor-exchange.ts'

export interface Attempt {
  readonly name: string
  readonly title: string
  readonly steps: readonly Step[]
}

export const attempts: readonly Attempt[] = [
  attempt('no header'),
  attempt('version 1', 'v1'),
  attempt('version 2', 'v2'),
  attempt('version 2, LOCAL', 'local'),
  attempt('TLS, no header', 'tls'),
  attempt('version 1, then TLS', 'v1', 'tls'),
  attempt('version 2, then TLS', 'v2', 'tls'),
  attempt('TLS, then version 1', 'tls', 'v1'),
  attempt('TLS, then version 2', 'tls', 'v2'),
  attempt('version 2, TLS, version 2', 'v2', 'tls', 'v2'),
]

export type Verdict = 'accepted' | 'refused' | 'unclear'

export interface Finding extends Attempt, Observation {
  readonly verdict: Verdict
  readonly seen: string
  readonly because: string | undefined
}

/** Statuses that servers send for bytes that are not a request. */
const NO_REQUEST = new Set([400, 405, 501, 505])
const STATUS = /^HTTP\/\d\.\d (\d{3})/
const TLS_ALERT = 0x15
const WANTS_TLS = 'it wants TLS there'
const HEADER_START = /^(?:PROXY |\r\n\r\n\0\r\nQUIT\n)/

type Seen = Attempt & Observation

export function judge(seen: readonly Seen[]): readonly Finding[] {
  return seen.map(each => {
    const [verdict, because] = verdictOn(each, seen)
    return { ...each, verdict, because, seen: inWords(each) }
  })
}

function attempt(title: string, ...steps: readonly Step[]): Attempt {
  return { name: steps.join('+') || 'none', title, steps }
}

type Judgement = readonly [verdict: Verdict, because?: string]

function verdictOn(each: Seen, all: readonly Seen[]): Judgement {
  const { steps, outcome, tls } = each
  if (outcome === 'unreachable') return ['unclear', 'it could be reached for other attempts']
  if (steps.at(-1) === 'tls' && tls !== undefined) return ['accepted']
  if (steps.includes('tls') && tls === undefined) {
    return outcome === 'silent' ? ['unclear', 'it may wait for something else'] : ['refused']
  }
  switch (outcome) {
    case 'answered':
      return answered(each, all)
    case 'tls_failed':
      return ['refused']
    case 'silent':
      return ['unclear', 'it may wait for more of a protocol that is not HTTP']
    case 'closed':
    case 'reset':
      return ended(each, all)
  }
}

function answered(each: Seen, all: readonly Seen[]): Judgement {
  const { steps, answer, asked } = each
  const text = latin1(answer)
  const status = Number(STATUS.exec(text)?.[1])
  if (HEADER_START.test(text)) return ['refused', 'it sends the header back, and so takes it for data']
  if (answer[0] === TLS_ALERT) return ['refused', WANTS_TLS]
  if (NO_REQUEST.has(status)) {
    if (wantsTls(each, all)) return ['refused', WANTS_TLS]
    if (steps.length > 0) return ['refused', 'as if the header were a request']
    return ['unclear', 'it may be the request that it does not like']
  }
  if (steps.length === 0 || status > 0 || asked) return ['accepted']
  const without = all.find(other => other.name === (steps.slice(0, -1).join('+') || 'none'))
  if (without?.outcome !== 'answered') return ['accepted']
  if (without.asked) return ['refused', 'it answers the header, and so takes it for data']
  return ['unclear', 'it speaks first, whatever it is sent']
}

function ended(each: Seen, all: readonly Seen[]): Judgement {
  const { steps, asked } = each
  if (wantsTls(each, all)) return ['refused', WANTS_TLS]
  if (steps.at(-1) === 'local') return ['unclear', 'LOCAL may be a health check, and closing an answer to it']
  if (!asked) return ['refused']
  const others = all.some(other => other !== each && other.outcome === 'answered' && !isRefusal(other))
  return others ? ['refused'] : ['unclear', 'it may be the request that it does not understand']
}

function wantsTls({ steps }: Seen, all: readonly Seen[]): boolean {
  const name = [...steps, 'tls'].join('+').replace('local', 'v2')
  return all.some(other => other.name === name && other.tls !== undefined)
}

function isRefusal({ answer }: Seen): boolean {
  const text = latin1(answer)
  return HEADER_START.test(text) || answer[0] === TLS_ALERT || NO_REQUEST.has(Number(STATUS.exec(text)?.[1]))
}

function inWords({ outcome, tls, asked, answer, detail, steps }: Seen): string {
  const secure = tls === undefined ? '' : `${tls}, then `
  const when = asked ? 'behind the request' : steps.length > 0 ? 'at once' : 'before the request'
  switch (outcome) {
    case 'answered':
      return `${secure}${STATUS.test(latin1(answer)) ? '' : asked ? 'answered ' : 'spoke first: '}${firstLine(answer)}`
    case 'closed':
    case 'reset':
      return steps.includes('tls') && tls === undefined
        ? `${outcome} in the TLS handshake`
        : `${secure}${outcome} ${when}`
    case 'silent':
      return steps.includes('tls') && tls === undefined ? 'silent in the TLS handshake' : `${secure}silent`
    case 'tls_failed':
      return `${secure}TLS failed: ${String(detail)}`
    case 'unreachable':
      return String(detail)
  }
}

function firstLine(answer: Uint8Array): string {
  const [line = ''] = latin1(answer).split(/\r?\n/)
  const start = STATUS.exec(line)?.[0] ?? JSON.stringify(line.slice(0, 32))
  return start.replace(/[^ -~]/g, letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
