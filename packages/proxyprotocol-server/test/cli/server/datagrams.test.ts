// The program with a service of datagrams: its log, its figures, its drain, and what `check` says.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runServer } from '../../../src/cli/index.ts'
import type { StatsDocument } from '../../../src/figures/index.ts'
import { configFile } from '../../support/config-file.ts'
import { answering, peer } from '../../support/datagrams.ts'
import { ask } from '../../support/http.ts'
import { fakeIo, start } from '../../support/program.ts'

const SOURCE = 'udp://127.0.0.1:0'

test('a flow is served, counted and logged at its end, and the start says what limits flows', async t => {
  const upstream = await answering(t)
  const args = ['--service', SOURCE, `udp://127.0.0.1:${upstream.port}?pp=noop`, '--admin', '127.0.0.1:0']
  const program = await start(t, runServer, args)
  const { io, ports } = program
  const [, admin] = / admin address=127\.0\.0\.1:(\d+)/.exec(io.written.join('')) ?? []
  const client = await peer(t)
  await client.send('ping', ports[0] ?? 0)
  assert.equal(await client.text(), 'ping')
  const { services } = JSON.parse((await ask(Number(admin), '/stats.json')).body) as StatsDocument
  const [service] = services
  assert.ok(service?.datagrams)
  assert.equal(service.datagrams.up.bytes, 4)
  assert.equal(service.datagrams.flows.active, 1)
  assert.deepEqual(service.timeouts, { flow: 30_000, confirmed: 120_000 })
  assert.equal(service.limits['perSource'], null)
  const { body } = await ask(Number(admin), '/metrics')
  assert.match(
    body,
    /^proxyprotocol_datagrams_total\{service="udp:\/\/127\.0\.0\.1:0",direction="down"\} 1$/m,
  )
  assert.match(body, /^proxyprotocol_flows_active\{.*\} 1$/m)
  assert.match(body, /^proxyprotocol_datagrams_dropped_total\{.*reason="oversize"\} 0$/m)
  assert.doesNotMatch(body, /^proxyprotocol_connections_accepted_total\{/m)
  assert.match(await io.line(/ listening /), / flows=\d+ .*flowTimeout=30000 confirmedTimeout=120000/)
  const ended = program.stop()
  await io.line(/ draining connections=1/)
  assert.equal((await ask(Number(admin), '/readyz')).status, 503)
  await upstream.close()
  await client.send('refused', ports[0] ?? 0)
  assert.equal(await ended, 0)
  assert.match(
    io.written.join(''),
    / flow service=\S+ peer=\S+ .*reason=connect_refused datagramsUp=2 datagramsDown=1 /,
  )
})

test('with replies, a flow ends with its answer and is not logged', async t => {
  const upstream = await answering(t)
  const file = configFile(t, {
    services: [{ listen: SOURCE, upstream: `udp://127.0.0.1:${upstream.port}?pp=noop`, replies: 1 }],
  })
  const program = await start(t, runServer, ['--config', file])
  const { io, ports } = program
  const client = await peer(t)
  await client.send('ping', ports[0] ?? 0)
  assert.equal(await client.text(), 'ping')
  assert.equal(await program.stop(), 0)
  assert.doesNotMatch(io.written.join(''), / flow /)
})

test('a quiet service logs only the flows that its upstream refused', async t => {
  const upstream = await answering(t)
  const file = configFile(t, {
    services: [
      { listen: SOURCE, upstream: `udp://127.0.0.1:${upstream.port}?pp=noop`, log: { quiet: true } },
    ],
    shutdown: { drain: 1 },
  })
  const program = await start(t, runServer, ['--config', file])
  const { io, ports } = program
  const [refused, drained] = [await peer(t), await peer(t)]
  for (const client of [refused, drained]) {
    await client.send('ping', ports[0] ?? 0)
    assert.equal(await client.text(), 'ping')
  }
  await upstream.close()
  await refused.send('refused', ports[0] ?? 0)
  await io.line(/ flow .*reason=connect_refused /)
  assert.equal(await program.stop(), 0)
  assert.equal(io.written.join('').match(/ flow /g)?.length, 1)
})

test('check describes a service of datagrams', async t => {
  const file = configFile(t, {
    services: [
      {
        ...{
          name: 'dns',
          listen: 'udp://:53?pp=unsafe-first',
          trust: ['10.0.0.1'],
          replies: 1,
          replyFactor: 3,
        },
        upstreams: ['udp://192.0.2.1:53?pp=spp', 'udp://192.0.2.2:53'],
      },
      {
        ...{ listen: 'udp://:54', upstream: 'udp://192.0.2.1:54', deny: ['192.0.2.9'], log: { quiet: true } },
        ...{ limits: { perSource: 5 }, rate: { connections: 20, per: '1s' } },
      },
      { listen: ':80', upstream: '192.0.2.1:80', log: { quiet: false } },
    ],
  })
  const io = fakeIo()
  assert.equal(await runServer(['check', file], io), 0)
  const text = io.written.join('')
  assert.match(text, /listens at udp:\/\/:53$/m)
  assert.match(text, /expects a header of either version in the first datagram of each peer, unsafely/)
  assert.match(text, /sends it Spectrum's header/)
  assert.match(
    text,
    /takes 10000 flows, as far as open files and local ports allow, any number from one client/,
  )
  assert.match(text, /ends a new flow after 30000 ms of silence, a confirmed one after 120000 ms/)
  assert.match(text, /gives a new flow at most 3 bytes for each byte from it/)
  const [, second = '', third = ''] = text.split(/^ *listens at /m).slice(1)
  assert.match(second, /expects no header/)
  assert.match(second, /5 from one client/)
  assert.match(second, /192\.0\.2\.9|deny/)
  assert.match(second, /20 flows/)
  assert.match(second, /logs only the connections that the upstream or the program failed/)
  assert.match(third, /logs each connection/)
  assert.doesNotMatch(text.slice(0, text.indexOf('listens at :80')), /connecting|stuck/)
})
