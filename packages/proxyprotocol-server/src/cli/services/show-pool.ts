// The upstreams of a service in words: addresses, shares and health.

import { type ActiveCheck, formatEndpoint, type Pool, type UpstreamSettings } from '../../config/index.ts'

const HEADERS = {
  v1: 'a version 1 header',
  v2: 'a version 2 header',
  spp: "Spectrum's header",
  none: 'no header',
} as const
const SHARES = {
  'round-robin': 'in turn',
  'least-connections': 'to the one with the fewest connections for its weight',
  'source-hash': 'by the address of the client',
} as const

export function describePool(pool: Pool, what: 'connections' | 'flows' = 'connections'): readonly string[] {
  const { upstreams, balance, retries, resolve, queue } = pool
  const { staleAfter, drain } = resolve
  const several = upstreams.length > 1
  return [
    ...upstreams.map(upstream => describeUpstream(upstream, several, what)),
    ...(several
      ? [
          `shares ${what} out ${SHARES[balance]}` +
            (what === 'flows' ? '' : `, and tries ${String(retries)} others where one does not answer`),
          describeMarks(pool),
        ]
      : []),
    ...(what === 'connections' && upstreams.some(({ maxConnections }) => maxConnections < Infinity)
      ? [`lets ${String(queue.size)} connections wait for room, for up to ${String(queue.timeout)} ms`]
      : []),
    ...describeChecks(upstreams),
    ...describeHealth(pool),
    ...(staleAfter === undefined
      ? []
      : [`uses no addresses of a name that are older than ${String(staleAfter)} ms`]),
    ...(drain === undefined ? [] : [`resets connections ${String(drain)} ms after their address has left`]),
  ]
}

function describeMarks({ health, upstreams }: Pool): string {
  const { fails, window, cooldown } = health
  const marks = `marks as down what fails ${String(fails)} times within ${String(window)} ms`
  return upstreams.every(({ check }) => check)
    ? marks
    : `${marks}, and tries it again itself every ${String(cooldown)} ms`
}

function describeUpstream(
  { name, address, header, weight, backup, maxConnections, source }: UpstreamSettings,
  several: boolean,
  what: string,
): string {
  const place = formatEndpoint(address)
  const called = name === place ? '' : ` (${name})`
  const part = several ? `; ${backup ? 'a backup of' : 'has'} weight ${String(weight)}` : ''
  const share = weight === 0 ? `; drained: its weight is 0, so it gets no ${what}` : part
  const bound = maxConnections === Infinity ? '' : `; at most ${String(maxConnections)} ${what} at a time`
  const from = source === undefined ? '' : ` from ${source}`
  return `connects to ${place}${called}${from}, and sends it ${HEADERS[header]}${share}${bound}`
}

/** One line if all upstreams are checked alike. */
function describeChecks(upstreams: readonly UpstreamSettings[]): readonly string[] {
  const checks = upstreams.map(({ check }) => check && describeCheck(check, upstreams))
  const [first] = checks
  if (first !== undefined && checks.every(each => each === first)) return [first]
  return upstreams.flatMap(({ name }, at) => (checks[at] === undefined ? [] : [`${name}: ${checks[at]}`]))
}

function describeHealth({ health: { onDown, slowStart } }: Pool): readonly string[] {
  return [
    ...(onDown === 'reset' ? ['resets the connections of an upstream that its checks find down'] : []),
    ...(slowStart > 0
      ? [`gives an upstream that is back its whole weight over ${String(slowStart)} ms`]
      : []),
  ]
}

/** `pp=noop` means no header, whatever `header` says. */
function describeCheck(check: ActiveCheck, upstreams: readonly UpstreamSettings[]): string {
  const { type, interval, timeout, rise, fall } = check
  const by = type === 'tcp' ? '' : ` by ${type}`
  const withHeader = check.header ? upstreams.filter(({ header }) => header !== 'none').length : 0
  const how =
    withHeader === 0
      ? 'without a header'
      : `with a header that names no client${withHeader < upstreams.length ? ', where headers are sent' : ''}`
  return (
    `checks${by} every ${String(interval)} ms ${how}, for at most ${String(timeout)} ms; ` +
    `${String(fall)} failures bring down, ${String(rise)} good ones up`
  )
}
