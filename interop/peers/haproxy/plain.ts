// HAProxy in front of our servers, without TLS of its own.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Case } from '../../peer.ts'
import { describe, sending, type Sending } from '../../sending.ts'
import { serverKinds, startServer, type OurServer } from '../../servers.ts'
import type { Seen } from '../../seen.ts'
import { until } from '../../harness.ts'
import type { Sections } from './sections.ts'

const kind = 'createServer'
const versions = [
  [1, 'send-proxy'],
  [2, 'send-proxy-v2'],
] as const

/** Both versions to every door of ours, from an address of the client's own. */
export async function toEveryDoor(sections: Sections): Promise<readonly Case[]> {
  const cases: Case[] = []
  for (const kind of serverKinds) {
    const { place } = await startServer(sections.harness, kind)
    for (const [version, options] of versions) {
      const way = { port: await sections.forward(place, options), localAddress: '127.0.0.9' }
      cases.push(sending({ name: options, kind, way, expected: { version, family: 'INET' } }))
    }
  }
  return cases
}

/** IPv6 and UNIX sockets on either side, and what version 2 tells of a connection without TLS. */
export async function families(sections: Sections): Promise<readonly Case[]> {
  const { harness } = sections
  const four = await startServer(harness, kind)
  const six = await startServer(harness, kind, { host: '::1' })
  const unix = await startServer(harness, kind, { path: join(harness.folder, 'ours.sock') })
  const cases: Sending[] = []
  for (const [version, option] of versions) {
    const [host, expected] = ['::1', { version, family: 'INET' }]
    const fromSix = { host, port: await sections.forward(six.place, option, { host }) }
    const overSix = { port: await sections.forward(six.place, option) }
    const overUnix = { port: await sections.forward(unix.place, option) }
    const fromUnix = { path: sections.forwardUnix(`v${version}.sock`, four.place, option) }
    cases.push(
      { name: `${option}, IPv6`, kind, way: fromSix, expected: { version, family: 'INET6' } },
      { name: `${option}, IPv4 over IPv6`, kind, way: overSix, expected },
      { name: `${option} over a UNIX socket`, kind, way: overUnix, expected },
      {
        name: `${option} for a UNIX client`,
        kind,
        way: fromUnix,
        expected: ({ seen }) => nobody(version, seen),
      },
    )
  }
  const crc = await sections.forward(four.place, 'send-proxy-v2 proxy-v2-options crc32c')
  const id = await sections.forward(four.place, 'send-proxy-v2 proxy-v2-options unique-id,crc32c')
  cases.push(
    { name: 'send-proxy-v2 crc32c', kind, way: { port: crc }, expected: { version: 2, checksum: true } },
    {
      name: 'send-proxy-v2 unique-id, crc32c',
      kind,
      way: { port: id },
      expected: ({ client }) => ({ version: 2, checksum: true, uniqueId: idOf(client.source) }),
    },
  )
  return cases.map(sending)
}

/** A client without an address: the socket's own ends stay. */
function nobody(version: 1 | 2, { remote }: Seen): Partial<Seen> {
  const command = version === 1 ? 'PROXY' : 'LOCAL'
  return {
    version,
    command,
    family: 'UNSPEC',
    transport: 'UNSPEC',
    source: undefined,
    destination: undefined,
    remote,
  }
}

/** The unique id, as the configuration makes it of the client's port. */
export function idOf(source = ''): string {
  return `id-${String(source.split(' ')[1])}`
}

/** Health checks: LOCAL in version 2, and a line with HAProxy's own ends in version 1. */
export async function checks(sections: Sections): Promise<readonly Case[]> {
  const cases: Case[] = []
  for (const [version, option] of versions) {
    const [web, bare] = [
      await startServer(sections.harness, 'http'),
      await startServer(sections.harness, kind),
    ]
    await sections.forward(web.place, `${option} check inter 200`, { lines: ['option httpchk GET /'] })
    await sections.forward(bare.place, `${option} check inter 200`)
    cases.push(
      {
        direction: 'sends',
        name: `${option}, health check by HTTP to http`,
        run: async () => describe(await webCheck(web, version)),
      },
      {
        direction: 'sends',
        name: `${option}, health check that only connects to ${kind}`,
        run: () => bareCheck(bare),
      },
    )
  }
  return cases
}

async function webCheck(server: OurServer, version: 1 | 2): Promise<Seen> {
  const seen = await server.find(() => true, 'a health check')
  assert.deepEqual([seen.version, seen.command], [version, version === 1 ? 'PROXY' : 'LOCAL'])
  if (version === 1) assert.ok(seen.source?.startsWith('127.0.0.1 '), "not HAProxy's own address")
  return seen
}

/** Such checks are reset at once, often before they are accepted; whatever is left of them must not pass for a fault. */
async function bareCheck(server: OurServer): Promise<string> {
  await until(() => server.accepted() > 3 || undefined, 'several health checks')
  assert.deepEqual(server.refused, [])
  return 'none was refused'
}
