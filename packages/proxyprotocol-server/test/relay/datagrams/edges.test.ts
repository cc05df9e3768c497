// What is rare: other families, clients that two proxies announce, and flows that end while they open.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeDatagram, encodeSpp, encodeDatagram } from 'proxyprotocol'
import { parseService } from '../../../src/config/index.ts'
import { bindOnce, DatagramRelay } from '../../../src/relay/index.ts'
import { everyAddress } from '../../../src/relay/datagrams/client-port.ts'
import { type Announced, datagramReader, headerBytes } from '../../../src/relay/datagrams/headers/index.ts'
import {
  RelayedFlow,
  type FlowContext,
  type OnSent,
  type Way,
} from '../../../src/relay/datagrams/relayed-flow.ts'
import { SharedWays } from '../../../src/relay/datagrams/ways.ts'
import { Tally } from '../../../src/relay/datagrams/tally.ts'
import { answering, peer, startDatagrams } from '../../support/datagrams.ts'

const source = { address: '203.0.113.7', port: 5_353 }
const destination = { address: '192.0.2.1', port: 53 }
const local = { address: '::', port: 53 }
const pass = new Set<number>()
const announced = { source, destination: undefined, header: undefined, back: undefined }

function endsOf(datagram: Uint8Array): { readonly source: unknown; readonly destination: unknown } {
  const result = decodeDatagram(datagram)
  assert.ok(result.status === 'header' && 'source' in result.header)
  return result.header
}

test('a relay at every address takes clients of IPv4, and one at a name those of its address', async t => {
  const upstream = await peer(t)
  const to = `udp://127.0.0.1:${upstream.port}`
  const client = await peer(t)
  for (const listen of ['udp://:0', 'udp://localhost:0']) {
    const relay = await startDatagrams(t, to, { listen })
    const family = relay.relay.server.address?.address === '::1' ? '::1' : '127.0.0.1'
    const from = family === '::1' ? await peer(t, family) : client
    await from.send('x', relay.port)
    const { source: told } = endsOf((await upstream.take())[0])
    assert.deepEqual(told, { address: family, port: from.port })
  }
})

test('without IPv6 every address is that of IPv4', () => {
  assert.equal(everyAddress({}), '0.0.0.0')
  assert.equal(everyAddress({ lo: undefined }), '0.0.0.0')
})

test('IPv6 clients and upstreams are relayed as those of IPv4', async t => {
  const upstream = await peer(t, '::1')
  const relay = await startDatagrams(t, `udp://[::1]:${upstream.port}`, { listen: 'udp://[::1]:0' })
  const client = await peer(t, '::1')
  await client.send('x', relay.port)
  const [bytes, { port }] = await upstream.take()
  assert.deepEqual(endsOf(bytes).destination, { address: '::1', port: relay.port })
  await upstream.send('y', port)
  assert.equal(await client.text(), 'y')
})

test('a header names the family of the client, and both ends mapped if they differ', () => {
  const destinationOf = (given: Pick<Announced, 'source' | 'destination'>): unknown => {
    const bytes = headerBytes('v2', { ...announced, ...given }, { local, pass })
    assert.ok(bytes)
    return endsOf(bytes).destination
  }
  assert.deepEqual(destinationOf(announced), { address: '0.0.0.0', port: 53 })
  const ofIPv6 = { address: '2001:db8::1', port: 1 }
  assert.deepEqual(destinationOf({ source: ofIPv6, destination }), { address: '::ffff:192.0.2.1', port: 53 })
  assert.equal(headerBytes('none', announced, { local, pass }), undefined)
  const linkLocal = { address: 'fe80::1%eth0', port: 53 }
  const bytes = headerBytes('v2', { ...announced, source: ofIPv6 }, { local: linkLocal, pass })
  assert.deepEqual(bytes && endsOf(bytes).destination, { address: 'fe80::1', port: 53 })
})

test('contract U1: a datagram from port 0 is dropped, with and without headers', () => {
  const from = { address: '127.0.0.1', port: 0 }
  const common = { maxHeaderBytes: 512, limit: 1, timeout: 1 }
  const bare = datagramReader({ ...common, accepts: undefined })
  assert.equal(bare.read(Buffer.from('x'), from), 'source_port')
  const headed = datagramReader({ ...common, accepts: { version: 'v2', trust: 'anyone' } })
  assert.equal(headed.read(Buffer.from('x'), from), 'source_port')
})

test('two proxies that announce the same client share its way, and the newest one gets the replies', async t => {
  const upstream = await peer(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=spp`, {
    ...{ listen: 'udp://127.0.0.1:0?pp=spp', trust: 'anyone', limits: { flows: 2 } },
  })
  const [one, two, other] = [await peer(t), await peer(t), await peer(t)]
  const datagram = encodeSpp({ source, destination }, Buffer.from('x'))
  await one.send(datagram, relay.port)
  await upstream.take()
  await two.send(datagram, relay.port)
  const [, { port }] = await upstream.take()
  await other.send(encodeSpp({ source: { ...source, port: 1 }, destination }, Buffer.from('x')), relay.port)
  await upstream.take()
  assert.equal((await relay.record()).reason, 'evicted')
  await upstream.send(datagram, port)
  assert.deepEqual((await two.take())[0], Buffer.from(datagram))
  assert.equal(one.waiting.length, 0)
})

test('replies from a shared socket follow a client back to a proxy that it used before', async t => {
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=spp`, {
    ...{ listen: 'udp://127.0.0.1:0?pp=spp', trust: 'anyone' },
  })
  const proxies = [await peer(t), await peer(t)]
  for (const proxy of [...proxies, ...proxies]) {
    await proxy.send(encodeSpp({ source, destination }, Buffer.from('x')), relay.port)
    await proxy.take()
  }
  assert.deepEqual([relay.figures().flows.opened, relay.figures().down.datagrams], [2, 4])
})

test('a local address that does not exist ends flows, also those that share a socket', async t => {
  const upstream = await answering(t)
  const client = await peer(t)
  for (const pp of ['spp', 'v2']) {
    const relay = await startDatagrams(t, [
      { address: `udp://127.0.0.1:${upstream.port}?pp=${pp}`, source: '192.0.2.77' },
    ])
    await client.send('x', relay.port)
    assert.equal((await relay.record()).reason, 'aborted')
    await client.send('x', relay.port)
    assert.equal((await relay.record(1)).reason, 'aborted')
  }
})

test('an address that no socket may connect to ends the flow', async t => {
  const relay = await startDatagrams(t, 'udp://255.255.255.255:9')
  const client = await peer(t)
  await client.send('x', relay.port)
  assert.equal((await relay.record()).reason, 'aborted')
})

test('a shared socket that opens while the relay ends is closed when its flow lets go', async t => {
  const upstream = await peer(t)
  const endpoint = { address: '127.0.0.1', port: upstream.port }
  const member = { endpoint, settings: {} } as unknown as Way['member'] // all that is asked of it
  const ways = new SharedWays(new Tally())
  const flow = new RelayedFlow({ key: 'a', peer: source, announced }, {
    now: () => 0,
  } as unknown as FlowContext)
  const opening = ways.open(flow, member, Buffer.alloc(38))
  ways.close()
  const way = await opening
  way.close()
  assert.throws(
    () => {
      way.send(Buffer.from('x'), () => undefined)
    },
    { code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' },
  )
})

test('a shared socket stays open until the last of its flows has left, also if two announce the same client', async t => {
  const upstream = await peer(t)
  const endpoint = { address: '127.0.0.1', port: upstream.port }
  const [first, second] = [0, 1].map(() => ({ endpoint, settings: {} }) as unknown as Way['member']) // as above
  assert.ok(first && second)
  const ways = new SharedWays(new Tally())
  const flow = (key: string): RelayedFlow =>
    new RelayedFlow({ key, peer: source, announced }, { now: () => 0 } as unknown as FlowContext)
  const head = Buffer.alloc(38)
  const [one, two] = [await ways.open(flow('a'), first, head), await ways.open(flow('b'), first, head)]
  two.close()
  const other = await ways.open(flow('c'), second, head)
  one.send(Buffer.from('x'), () => undefined)
  assert.equal((await upstream.take())[0].length, 39)
  ways.close()
  for (const way of [one, other]) way.close()
})

test('bindOnce() finds an address that is taken, and leaves a free one free', async t => {
  const { port, close } = await peer(t)
  const service = parseService(`udp://127.0.0.1:${port}`, 'udp://192.0.2.1:53')
  assert.equal(new DatagramRelay(service).server.state, 'idle')
  await assert.rejects(bindOnce(service), { code: 'EADDRINUSE' })
  await close()
  await bindOnce(service)
  await bindOnce(service)
})

test('a flow that has ended lets go of the way that opens late, and takes back what was not sent', () => {
  const log: string[] = []
  let sent: OnSent = () => undefined
  const member = { endFlow: () => log.push('left') } as unknown as Way['member'] // all that a flow asks of it
  const way: Way = { member, close: () => log.push('closed'), send: (_payload, onSent) => (sent = onSent) }
  const tally = new Tally()
  const context = { tally, now: () => 0 } as unknown as FlowContext // all that is asked here
  const init = { key: 'a', peer: source, announced }
  const late = new RelayedFlow(init, context)
  late.state = 'ended'
  late.opened(way)
  assert.deepEqual(log, ['closed', 'left'])
  const flow = new RelayedFlow(init, context)
  flow.opened(way)
  flow.send(Buffer.from('x'))
  sent(Object.assign(new Error('no'), { code: 'ENOBUFS' }))
  assert.equal(flow.counts.up.datagrams, 0)
  const { accepted, dropped } = tally.figures({ opened: 0, active: 0, confirmed: 0, ended: {} as never })
  assert.deepEqual([accepted, dropped.send_error], [0, 1])
})

test('an encoded header that is too long for the payload is dropped by the system alone', async t => {
  const upstream = await answering(t)
  const relay = await startDatagrams(t, `udp://127.0.0.1:${upstream.port}?pp=noop`, {
    ...{ listen: 'udp://127.0.0.1:0?pp=v2', trust: 'anyone', limits: { headerBytes: 20 } },
  })
  const client = await peer(t)
  await client.send(encodeDatagram({ source, destination }, Buffer.from('x')), relay.port)
  await client.send(encodeDatagram({ command: 'LOCAL' }, Buffer.from('y')), relay.port)
  assert.equal(await client.text(), 'y')
  assert.equal(relay.figures().dropped.header_invalid, 1)
})
