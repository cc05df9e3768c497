// proxyprotocol-echo and proxyprotocol-inspect with datagrams.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeDatagram, encodeSpp } from 'proxyprotocol'
import { runEcho } from '../../../src/cli/index.ts'
import { firstBytes } from '../../../src/cli/inspect/listen.ts'
import { peer } from '../../support/datagrams.ts'
import { start } from '../../support/program.ts'

const ends = {
  source: { address: '203.0.113.7', port: 5_353 },
  destination: { address: '192.0.2.1', port: 53 },
}

test('echo answers a datagram behind a header of version 2, of Spectrum, of a flow, and without one', async t => {
  const payload = Buffer.from('ping')
  const cases = [
    ['', encodeDatagram(ends, payload), payload, '203.0.113.7:5353'],
    ['?pp=spp', encodeSpp(ends, payload), encodeSpp(ends, payload), '203.0.113.7:5353'],
    ['?pp=unsafe-first', encodeDatagram(ends, payload), payload, '203.0.113.7:5353'],
    ['?pp=noop', payload, payload, '127.0.0.1:'],
    ['?pp=noop', payload, payload, '[::1]:'],
  ] as const
  for (const [query, datagram, answer, source] of cases) {
    const host = source === '[::1]:' ? '::1' : '127.0.0.1'
    const program = await start(t, runEcho, [`udp://${host === '::1' ? '[::1]' : host}:0${query}`])
    const client = await peer(t, host)
    await client.send(datagram, program.ports[0] ?? 0)
    assert.deepEqual((await client.take())[0], Buffer.from(answer))
    assert.ok((await program.io.line(/ datagram /)).includes(` source=${source}`))
    assert.equal(await program.stop(), 0)
  }
})

test('inspect --listen takes one datagram, also at an address of IPv6', async t => {
  for (const host of ['127.0.0.1', '::1']) {
    const client = await peer(t, host)
    const told: string[] = []
    const port = await new Promise<number>(resolve => {
      const error = (text: string): void => {
        told.push(text)
        const [, at] = /^listening at .*:(\d+)\n$/.exec(text) ?? []
        if (at !== undefined) resolve(Number(at))
      }
      const received = firstBytes(`udp://${host.includes(':') ? `[${host}]` : host}:0`, { error })
      received.then(
        bytes => told.push(String(bytes)),
        (fault: unknown) => told.push(String(fault)),
      )
    })
    await client.send('bytes', port)
    while (told.length < 3) await new Promise(setImmediate)
    assert.deepEqual([told[1]?.startsWith('datagram from '), told[2]], [true, 'bytes'])
  }
})
