// The outcome that `check` prints.

import { isDeepStrictEqual } from 'node:util'
import {
  type AccessRules,
  type Acceptance,
  type BlockLists,
  type Configuration,
  type DatagramSettings,
  formatEndpoint,
  type ListenTls,
  type OwnTlv,
  passName,
  type Passthrough,
  type Rate,
  type RouteSettings,
  type RouteTimeouts,
  type Route,
  type Service,
} from '../../config/index.ts'
import { describePool } from '../services/index.ts'

const EXPECTED = {
  v1: 'version 1',
  v2: 'version 2',
  detect: 'either version',
  spp: 'Spectrum',
  'unsafe-first': 'either version in the first datagram of each peer, unsafely',
} as const
const LISTED = { reject: 'rejects', tag: 'tags', log: 'logs' } as const
const OVER_LIMIT = { close: 'closed', reset: 'reset', pause: 'left waiting, unread' } as const

export function showConfiguration({
  services,
  workers,
  shutdown,
  log,
  admin,
  control,
}: Configuration): string {
  const program = [
    'program',
    ...(workers > 1
      ? [`serves with ${String(workers)} processes; what is limited is so in each of them`]
      : []),
    `after a signal accepts for ${ms(shutdown.readyDelay)} more, then lets connections finish for ${ms(shutdown.drain)}`,
    logging(log.quiet) + (log.format === 'json' ? ', as JSON' : ''),
    ...(admin ? [`shows health and metrics at ${formatEndpoint(admin.listen)}`] : []),
    ...(control ? [`is operated through ${control.socket}`] : []),
    ...(admin && admin.readyNeeds.length > 0
      ? [`is ready only while each of these has an upstream that is up: ${admin.readyNeeds.join(', ')}`]
      : []),
  ]
  return [...services.map(describe), program].map(([title, ...lines]) => paragraph(title, lines)).join('\n')
}

function describe(service: Service): readonly string[] {
  if (service.datagrams) return describeDatagrams(service, service.datagrams)
  const { name, accepts, limits, overLimit, timeouts } = service
  const { connections, perSource } = limits
  return [
    name,
    listening(service),
    ...(accepts ? acceptance(accepts, service) : ['expects no header']),
    ...(service.access ? [accessOf(service.access)] : []),
    ...(service.tls ? endedTls(service.tls, service) : []),
    ...(service.passthrough ? passthrough(service.passthrough, service) : []),
    ...(service.pool.upstreams.length > 0 ? describePool(service.pool) : []),
    ...(service.tlvs.length > 0 ? [ownTlvs(service)] : []),
    ...(service.dnsbl ? [blockLists(service.dnsbl)] : []),
    `takes ${connections === undefined ? 'its share of the open files in' : String(connections)} connections, ` +
      `${perSource === Infinity ? 'any number' : String(perSource)} from one client; what is over that is ${OVER_LIMIT[overLimit]}`,
    ...(service.rate ? [rateOf(service.rate)] : []),
    ...timing(timeouts),
    ...(service.log.quiet === undefined ? [] : [logging(service.log.quiet)]),
    `calls stuck what has not ended ${ms(timeouts.abort)} after its abort`,
  ]
}

function describeDatagrams(service: Service, settings: DatagramSettings): readonly string[] {
  const { name, listen, accepts, access, limits, rate, log } = service
  const { flows, flow, confirmed, replies, replyFactor } = settings
  const from = limits.perSource === Infinity ? 'any number' : String(limits.perSource)
  return [
    name,
    `listens at ${formatEndpoint(listen)}`,
    ...(accepts
      ? [
          `expects a header of ${EXPECTED[accepts.version]}, of at most ${String(limits.headerBytes)} bytes`,
          trusted(accepts),
        ]
      : ['expects no header']),
    ...(access ? [accessOf(access)] : []),
    ...describePool(service.pool, 'flows'),
    `takes ${String(flows)} flows, as far as open files and local ports allow, ${from} from one client`,
    ...(rate ? [rateOf(rate, 'flows')] : []),
    `ends a new flow after ${ms(flow)} of silence, a confirmed one after ${ms(confirmed)}`,
    ...(replies === undefined
      ? []
      : [`ends a flow after ${String(replies)} replies, once each request has one`]),
    ...(replyFactor === undefined
      ? []
      : [`gives a new flow at most ${String(replyFactor)} bytes for each byte from it`]),
    ...(log.quiet === undefined ? [] : [logging(log.quiet)]),
  ]
}

function logging(quiet: boolean): string {
  return `logs ${quiet ? 'only the connections that the upstream or the program failed' : 'each connection'}`
}

function timing({ connect, idle, halfClose, keepAlive }: RouteTimeouts): readonly string[] {
  return [
    `gives up connecting after ${ms(connect)}`,
    `${idling(idle)}; closes it after ${ms(halfClose)} once one side has ended`,
    `asks silent peers after ${ms(keepAlive)}`,
  ]
}

function listening({ listen, ipv6Only, backlog }: Service): string {
  const family = ipv6Only ? ' for IPv6 alone' : ''
  return `listens at ${formatEndpoint(listen)}${family}; up to ${String(backlog)} connections wait there, as far as the kernel lets them`
}

function acceptance({ version, trust }: Acceptance, { pass, limits, timeouts }: Service): readonly string[] {
  const passed = [...pass].map(passName).join(', ')
  return [
    `expects a header of ${EXPECTED[version]} within ${ms(timeouts.header)}, of at most ${String(limits.headerBytes)} bytes; ` +
      `at most ${String(limits.pendingHeaders)} connections wait for theirs`,
    trusted({ trust }),
    `passes on ${passed === '' ? 'no TLVs' : `these TLVs: ${passed}`}`,
  ]
}

function trusted({ trust }: Pick<Acceptance, 'trust'>): string {
  return `trusts ${trust === 'anyone' ? 'anyone' : trust.join(', ')}`
}

function accessOf({ allow, deny, from, vpce }: AccessRules): string {
  const rules = [
    ...(deny.length > 0 ? [`refuses ${deny.join(', ')}`] : []),
    ...(allow ? [`lets only ${allow.join(', ')} in`] : []),
    ...(vpce ? [`takes connections only through ${vpce.join(', ')}`] : []),
  ]
  return rules.join('; ') + (from === 'peer' ? ', by the address of the peer' : '')
}

function rateOf({ connections, per, burst, exempt }: Rate, what = 'connections'): string {
  const but = exempt.length > 0 ? `; ${exempt.join(', ')} may open any number` : ''
  return `lets one client open ${String(connections)} ${what} in ${ms(per)}, and ${String(burst)} at once${but}`
}

function ownTlvs({ tlvs }: RouteSettings): string {
  return `adds these TLVs: ${tlvs.map(ownTlv).join(', ')}`
}

function ownTlv(own: OwnTlv): string {
  const value = 'value' in own ? `${String(own.value.length)} bytes` : own.fact
  return `0x${own.type.toString(16).toUpperCase()} (${value})`
}

function passthrough(
  { timeout, routes, unknownNames, fallback }: Passthrough,
  service: RouteSettings,
): readonly string[] {
  const refuses = unknownNames === 'reject' ? '; refuses server names without a route' : ''
  return [
    `passes TLS through, and reads the ClientHello of each client within ${ms(timeout)}${refuses}`,
    ...routes.flatMap(route => [`for ${clientsOf(route)}:`, ...indented(routeLines(route, service))]),
    ...(fallback
      ? [
          `for clients without TLS, or silent for ${ms(fallback.timeout)}:`,
          ...indented(routeLines(fallback, service)),
        ]
      : []),
    ...(routes.length > 0 && unknownNames === 'default' ? ['for all others:'] : []),
  ]
}

function endedTls(tls: ListenTls, service: Service): readonly string[] {
  const { certificates, directory, routes, unknownNames, ciphers, crl } = tls
  const files = [
    ...(service.listen.tls?.cert ? [service.listen.tls.cert] : []),
    ...certificates.map(({ cert }) => cert),
  ]
  return [
    `ends TLS with ${[...files, ...(directory === undefined ? [] : [`those in ${directory}`])].join(', ')}`,
    ...(unknownNames === 'reject' ? ['refuses server names without a certificate'] : []),
    ...(ciphers === undefined ? [] : [`uses the ciphers ${ciphers}`]),
    ...(crl.length > 0 ? [`refuses client certificates that ${crl.join(', ')} revoke`] : []),
    ...routes.flatMap(route => [
      `${route.passthrough ? 'passes TLS through ' : ''}for ${clientsOf(route)}:`,
      ...indented(routeLines(route, service)),
    ]),
    ...(routes.length > 0 ? ['for all others:'] : []),
  ]
}

function clientsOf({ names, alpn }: Route): string {
  const protocols = alpn.length > 0 ? [`protocol ${alpn.join(' or ')}`] : []
  return [...(names.length > 0 ? [names.join(', ')] : []), ...protocols].join(' with ')
}

/** Its upstreams, and what it has otherwise than the service. */
function routeLines(route: RouteSettings, service: RouteSettings): readonly string[] {
  const ofService = timing(service.timeouts)
  return [
    ...describePool(route.pool),
    ...(isDeepStrictEqual(route.tlvs, service.tlvs) ? [] : [ownTlvs(route)]),
    ...timing(route.timeouts).filter(line => !ofService.includes(line)),
  ]
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map(line => `  ${line}`)
}

function blockLists({ zones, action, timeout, servers }: BlockLists): string {
  const names = zones.map(zone => (typeof zone === 'string' ? zone : 'a zone of Spamhaus')).join(', ')
  const at = servers ? ` at ${servers.join(', ')}` : ''
  return `asks ${names}${at} about each client for up to ${ms(timeout)}, and ${LISTED[action]} those that are listed`
}

function idling(idle: number): string {
  return idle === Infinity ? 'keeps what is silent' : `resets what is silent for ${ms(idle)}`
}

function ms(duration: number): string {
  return `${String(duration)} ms`
}

function paragraph(title = '', lines: readonly string[]): string {
  return [title, ...lines.map(line => `  ${line}`), ''].join('\n')
}
