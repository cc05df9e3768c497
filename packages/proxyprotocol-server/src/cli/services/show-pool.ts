import { type ActiveCheck, formatEndpoint, type Pool, type UpstreamSettings } from '../../config/index.ts'

const HEADERS = { v1: 'a version 1 header', v2: 'a version 2 header', none: 'no header' } as const
const SHARES = {
  'round-robin': 'in turn',
  'least-connections': 'to the one with the fewest connections for its weight',
  'source-hash': 'by the address of the client',
} as const

export function describePool(pool: Pool): readonly string[] {
  const { upstreams, balance, retries, check, resolve, queue } = pool
  const { staleAfter } = resolve
  const several = upstreams.length > 1
  return [
    ...upstreams.map(upstream => describeUpstream(upstream, several)),
    ...(several
      ? [
          `shares connections out ${SHARES[balance]}, and tries ${String(retries)} others where one does not answer`,
          describeMarks(pool),
        ]
      : []),
    ...(upstreams.some(({ maxConnections }) => maxConnections < Infinity)
      ? [`lets ${String(queue.size)} connections wait for room, for up to ${String(queue.timeout)} ms`]
      : []),
    ...(check ? [describeCheck(check, upstreams)] : []),
    ...(staleAfter === undefined
      ? []
      : [`uses no addresses of a name that are older than ${String(staleAfter)} ms`]),
  ]
}

function describeMarks({ health, check }: Pool): string {
  const { fails, window, cooldown } = health
  const marks = `marks as down what fails ${String(fails)} times within ${String(window)} ms`
  return check ? marks : `${marks}, and tries it again itself every ${String(cooldown)} ms`
}

function describeUpstream(
  { name, address, header, weight, backup, maxConnections, source }: UpstreamSettings,
  several: boolean,
): string {
  const place = formatEndpoint(address)
  const called = name === place ? '' : ` (${name})`
  const part = several ? `; ${backup ? 'a backup of' : 'has'} weight ${String(weight)}` : ''
  const share = weight === 0 ? '; drained: its weight is 0, so it gets no connections' : part
  const bound = maxConnections === Infinity ? '' : `; at most ${String(maxConnections)} connections at a time`
  const from = source === undefined ? '' : ` from ${source}`
  return `connects to ${place}${called}${from}, and sends it ${HEADERS[header]}${share}${bound}`
}

/** `pp=noop` means no header, whatever `header` says. */
function describeCheck(check: ActiveCheck, upstreams: readonly UpstreamSettings[]): string {
  const { interval, timeout, rise, fall } = check
  const withHeader = check.header ? upstreams.filter(({ header }) => header !== 'none').length : 0
  const how =
    withHeader === 0
      ? 'without a header'
      : `with a header that names no client${withHeader < upstreams.length ? ', where headers are sent' : ''}`
  return (
    `checks every ${String(interval)} ms ${how}, for at most ${String(timeout)} ms; ` +
    `${String(fall)} failures bring down, ${String(rise)} good ones up`
  )
}
