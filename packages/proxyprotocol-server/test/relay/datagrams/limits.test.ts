// What bounds flows from outside, and what the kernel counts.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { until } from 'test-support/sockets'
import { parseService } from '../../../src/config/index.ts'
import { createRelay } from '../../../src/relay/index.ts'
import { KernelDrops } from '../../../src/relay/datagrams/kernel-drops.ts'
import { flowLimit, localPorts } from '../../../src/relay/datagrams/flow-limit.ts'
import { answering, peer, startDatagrams } from '../../support/datagrams.ts'
import { atEnd } from '../../support/teardown.ts'

function folder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'datagrams-'))
  atEnd(t, () => {
    rmSync(path, { recursive: true })
  })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

test('flows are limited by open files and local ports, unless they share a socket', t => {
  const service = parseService('udp://:53', 'udp://192.0.2.1:53', { limits: { flows: 50_000 } })
  const limited = { ...service, limits: { ...service.limits, connections: 100 } }
  assert.equal(flowLimit(limited), 200)
  const shared = parseService('udp://:53', 'udp://192.0.2.1:53?pp=spp', { limits: { flows: 50_000 } })
  assert.equal(flowLimit({ ...shared, limits: limited.limits }), 50_000)
  assert.equal(flowLimit({ ...service, datagrams: undefined }), 0)
  assert.equal(flowLimit(service), localPorts())
  const path = folder(t, { range: '32768\t60999\n', other: 'none' })
  assert.equal(localPorts(join(path, 'range')), 28_232)
  assert.equal(localPorts(join(path, 'other')), undefined)
  assert.equal(localPorts(join(path, 'missing')), undefined)
})

test('a relay takes its share of open files, also after a reload', async t => {
  const upstream = await answering(t)
  const { relay, port } = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`)
  relay.limitConnections(1)
  assert.equal(relay.service.limits.connections, 1)
  for (const client of [await peer(t), await peer(t), await peer(t)]) {
    await client.send('x', port)
    await client.text()
  }
  assert.deepEqual([relay.datagrams().flows.active, relay.datagrams().flows.ended.evicted], [2, 1])
})

test('an upstream with all its flows gets no other, also where its name was looked up', async t => {
  const upstream = await answering(t)
  for (const host of ['127.0.0.1', 'upstream.test']) {
    const { relay, port } = await startDatagrams(
      t,
      [{ address: `udp://${host}:${upstream.port}?pp=noop`, maxConnections: 1 }],
      { resolver: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]) },
    )
    const clients = [await peer(t), await peer(t), await peer(t)]
    for (const client of clients) await client.send('x', port)
    await until(() => relay.datagrams().dropped.no_upstream === 2)
    assert.equal(relay.datagrams().flows.active, 1)
  }
})

test('a relay of datagrams has no TLS to renew', async t => {
  const { relay } = await startDatagrams(t, 'udp://127.0.0.1:1')
  relay.renewTicketKeys()
  assert.equal(relay.reloadCertificates(), false)
})

test('drops of the kernel are read from the line of the socket', async t => {
  const head = '  sl  local_address rem_address st queues inode ref pointer drops\n'
  const line = (address: string): string => ` 1: ${address} 00000000:0000 07 0:0 0 0 2 0 42\n`
  const path = folder(t, {
    udp: `${head}${line('0100007F:0036')} 2: 0100007F:0035 00000000:0000 07 0:0 0 0 2 0 7  \n`,
    udp6: head + line('00000000000000000000000001000000:0035'),
  })
  const read = async (address: string, port: number, from = path): Promise<number | undefined> => {
    const drops = new KernelDrops(from)
    const at = { address, port, family: '' }
    assert.equal(drops.view(at, 0), undefined)
    await drops.reading
    return drops.view(at, 4_999)
  }
  assert.equal(await read('127.0.0.1', 53), 7)
  assert.equal(await read('::1', 53), 42)
  assert.equal(await read('127.0.0.1', 55), undefined)
  assert.equal(await read('127.0.0.1', 53, join(path, 'missing')), undefined)
})

test('a relay that would send to itself is refused at its start', async t => {
  const own = Object.values(networkInterfaces())
    .flatMap(each => each ?? [])
    .find(({ family }) => family === 'IPv4')
  assert.ok(own)
  const { port, close } = await peer(t)
  await close()
  await assert.rejects(
    startDatagrams(t, `udp://${own.address}:${port}`, { listen: `udp://0.0.0.0:${port}` }),
    {
      message: `upstream udp://${own.address}:${port} must not be where the service itself listens`,
    },
  )
})

test('a relay at a port of all addresses is refused an upstream at none, and takes one elsewhere', async t => {
  const { port, close } = await peer(t)
  await close()
  const loop = startDatagrams(t, [`udp://192.0.2.1:${port}`, `udp://[::]:${port}`], {
    listen: `udp://:${port}`,
  })
  await assert.rejects(loop, /must not be where the service itself listens/)
  const loopback = startDatagrams(t, `udp://127.0.0.3:${port}`, { listen: `udp://0.0.0.0:${port}` })
  await assert.rejects(loopback, /must not be where the service itself listens/)
  await startDatagrams(t, `udp://127.0.0.2:${port}`, { listen: `udp://127.0.0.1:${port}` })
})

test('a name that leads back to the relay gets no flow', async t => {
  const { port, close } = await peer(t)
  await close()
  const relay = await startDatagrams(t, `udp://loop.test:${port}`, {
    ...{
      listen: `udp://127.0.0.1:${port}`,
      resolver: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    },
  })
  const client = await peer(t)
  await client.send('x', port)
  assert.equal((await relay.record()).reason, 'aborted')
  assert.equal(relay.figures().up.datagrams, 0)
})

test('createRelay() refuses a service of UDP', () => {
  assert.throws(() => createRelay(parseService('udp://:53', 'udp://192.0.2.1:53')), {
    message: 'service must be one of TCP, got udp://:53',
  })
})
