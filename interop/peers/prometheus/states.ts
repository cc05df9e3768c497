// The states that the program is scraped in, how each is brought about, and which alerts it must raise.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { clientCertificate } from 'test-support/certificates'
import { startDnsServer, type Reply } from 'test-support/dns-server'
import { certificateFiles } from '../../certificates.ts'
import type { Harness } from '../../harness.ts'
import type { Plan } from './program.ts'

/** Checks that find a refusal at once, and do not take a busy machine for an upstream that is down. */
const health = { check: { interval: 20, timeout: 10_000, fall: 1, rise: 1 } }
const CLIENTS = 20

export interface State {
  readonly name: string
  readonly configuration: (harness: Harness) => Promise<Plan>
  /** Whether a scrape shows it; without it any does. */
  readonly isReached?: (metrics: string) => boolean
  /** What comes between two scrapes. */
  readonly traffic?: (ports: readonly number[]) => Promise<void>
  /** Labels of the alerts that must fire, and no others. */
  readonly firing: readonly Readonly<Record<string, string>>[]
  /** The alerts see a clock so many days before the first certificate expires. */
  readonly daysLeft?: number
}

export const states: readonly State[] = [
  {
    name: 'upstream up',
    configuration: async harness => one({ upstream: await live(harness), health }),
    traffic: ([port]) => clients(port),
    firing: [],
  },
  {
    name: 'upstream down',
    configuration: async harness =>
      one({ upstreams: [{ name: 'app', address: await dead(harness) }], health }),
    isReached: hasUp('app', 0),
    traffic: ([port]) => clients(port),
    firing: [
      { alertname: 'ProxyprotocolNoUpstream', route: '*' },
      { alertname: 'ProxyprotocolUpstreamDown', route: '*', upstream: 'app' },
      { alertname: 'ProxyprotocolUpstreamsFail' },
    ],
  },
  {
    name: 'one of two upstreams down',
    configuration: async harness => {
      const upstreams = [await live(harness), { name: 'app', address: await dead(harness) }]
      return one({ upstreams, health })
    },
    isReached: hasUp('app', 0),
    traffic: ([port]) => clients(port),
    firing: [{ alertname: 'ProxyprotocolUpstreamDown', route: '*', upstream: 'app' }],
  },
  {
    name: 'an upstream drained, and gone',
    configuration: async harness => {
      const upstreams = [await live(harness), { name: 'old', address: await dead(harness), weight: 0 }]
      return one({ upstreams, health })
    },
    isReached: hasUp('old', 0),
    traffic: ([port]) => clients(port),
    firing: [],
  },
  {
    name: 'all upstreams drained',
    configuration: async harness =>
      one({ upstreams: [{ name: 'old', address: await live(harness), weight: 0 }] }),
    traffic: ([port]) => clients(port),
    firing: [
      { alertname: 'ProxyprotocolNoUpstream', route: '*' },
      { alertname: 'ProxyprotocolUpstreamsFail' },
    ],
  },
  {
    name: 'one route out',
    configuration: async harness => {
      const routed = [{ name: 'a', address: await dead(harness) }]
      const routes = [{ names: ['a.example'], upstreams: routed }]
      return one({ upstream: await live(harness), passthrough: { routes }, health })
    },
    isReached: hasUp('a', 0),
    firing: [
      { alertname: 'ProxyprotocolNoUpstream', route: 'a.example' },
      { alertname: 'ProxyprotocolUpstreamDown', route: 'a.example', upstream: 'a' },
    ],
  },
  {
    name: 'two workers',
    configuration: async harness => ({ ...one({ upstream: await live(harness), health }), workers: 2 }),
    isReached: text => text.includes('\nproxyprotocol_ready 1\n'),
    traffic: ([port]) => clients(port),
    firing: [],
  },
  {
    name: 'block lists answer',
    configuration: harness => asking(harness, {}),
    traffic: ([port]) => clients(port),
    firing: [],
  },
  {
    name: 'block lists silent',
    configuration: harness => asking(harness, { '1.0.0.127.bl.example': 'SERVFAIL' }),
    traffic: ([port]) => clients(port),
    firing: [{ alertname: 'ProxyprotocolBlockListsSilent' }],
  },
  { name: 'certificates', configuration: secured, firing: [] },
  {
    name: 'ten days before both certificates expire',
    configuration: secured,
    firing: ['listen', 'upstream'].map(role => ({ alertname: 'ProxyprotocolCertificateExpires', role })),
    daysLeft: 10,
  },
  {
    name: 'clients without a header',
    configuration: async harness =>
      one({ upstream: await live(harness), accepts: '?pp=detect', trust: ['127.0.0.1'] }),
    traffic: ([port]) => clients(port),
    firing: [{ alertname: 'ProxyprotocolHeadersRefused' }],
  },
  {
    name: 'at the limit on connections',
    configuration: async harness => {
      const held = await live(harness)
      return one({ upstream: held, limits: { connections: 1 } })
    },
    traffic: async ([port]) => {
      await opened(port)
      await clients(port)
    },
    firing: [
      { alertname: 'ProxyprotocolNearLimit' },
      { alertname: 'ProxyprotocolOverLimit', reason: 'limit_connections' },
    ],
  },
]

function one(service: Readonly<Record<string, unknown>>): Plan {
  return { services: [{ name: 'web', ...service }] }
}

function hasUp(upstream: string, value: 0 | 1): (metrics: string) => boolean {
  const sample = new RegExp(`^proxyprotocol_upstream_up\\{[^}]*upstream="${upstream}"\\} ${value}$`, 'm')
  return metrics => sample.test(metrics)
}

async function asking(harness: Harness, table: Readonly<Record<string, Reply>>): Promise<Plan> {
  const dns = await startDnsServer(table)
  harness.atEnd(() => dns.close())
  return one({
    upstream: await live(harness),
    dnsbl: { zones: ['bl.example'], servers: [dns.address], action: 'log' },
  })
}

/** One certificate for clients, and another one for an upstream. */
async function secured(harness: Harness): Promise<Plan> {
  const { cert, key } = certificateFiles(harness)
  const [own, ownKey] = [
    harness.file('client.pem', clientCertificate.cert),
    harness.file('client-key.pem', clientCertificate.key),
  ]
  const upstream = `ssl://${await live(harness)}?cert=${own}&key=${ownKey}`
  return { services: [{ name: 'web', tls: `cert=${cert}&key=${key}`, upstream }] }
}

/** An upstream that answers, and ends when the relay does. */
async function live(harness: Harness): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  harness.atEnd(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}` // it listens at one
}

/** An address that nothing listens at. */
async function dead(harness: Harness): Promise<string> {
  return `127.0.0.1:${await harness.port()}`
}

/** One after the other; how each ends is the program's to count. */
async function clients(port = 0): Promise<void> {
  for (let count = 0; count < CLIENTS; count++) {
    const socket = connect(port, '127.0.0.1').resume()
    socket.on('error', () => undefined)
    socket.end('hello')
    await new Promise(resolve => socket.on('close', resolve)) // with or without an error before it
  }
}

/** A connection that stays, as soon as it is relayed. It ends with the program. */
async function opened(port = 0): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write('hello')
  await once(socket, 'data')
}
