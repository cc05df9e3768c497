// Who is let in: peers that are not trusted, connections without a header, and what validators say of a header. The same
// rules hold for createServer() and attach().

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { errorMessages, ProxyProtocolError, type ErrorCode } from '../../../src/codec/index.ts'
import {
  allowSources,
  type AttachOptions,
  type CloseReason,
  type Validator,
} from '../../../src/server/index.ts'
import { doors, type Door } from '../../support/doors.ts'
import { DESTINATION, encode, LOCAL, SOURCE, UNKNOWN, V1, V2 } from '../../support/headers.ts'
import { outcome, turns, until, type Outcome } from '../../support/sockets.ts'
import { counted, over, createHarness, type Harness } from '../../support/harness.ts'
import { untyped } from '../../support/untyped.ts'

/** Milliseconds; short, because tests wait for it to pass. */
const TIMEOUT = 200
const SERVED: Outcome = { text: 'served', end: 'FIN' }
const SIGNATURE = V2.subarray(0, 12)
/** Payload that looks like a header for as long as it can. */
const ALMOST_V1 = 'PROXY\tTCP4 192.0.2.1'
const ALMOST_V2 = Buffer.concat([SIGNATURE.subarray(0, 11), Buffer.from('!and so on')])

type Bytes = Uint8Array | string

/** What one client sent before its FIN, piece by piece, and how that ended. */
async function send(harness: Harness, where: number | string, ...pieces: readonly Bytes[]): Promise<Outcome> {
  const client = harness.dial(where)
  const ended = outcome(client)
  for (const piece of pieces.slice(0, -1)) {
    client.write(piece)
    await turns(2) // both ends share this event loop, so each piece is read by itself
  }
  client.end(pieces.at(-1) ?? '')
  return ended
}

/** What came through: the client's address as the socket says it, whether a header is known, and every byte. */
function came({ seen }: Door): readonly unknown[] {
  return seen.map(({ address, info, text }) => [address, info?.header?.version, text])
}

function codes({ refused }: Door): readonly ErrorCode[] {
  return refused.map(({ error }) => error.code)
}

/** A refusal's message as the table of codes words it. */
function worded(code: ErrorCode, detail: string): string {
  return `${errorMessages[code]}: ${detail}`
}

/** Holds the counters of createServer() against what they should be; attach() has none. */
async function assertCounted({ server }: Door, reasons: Partial<Record<CloseReason, number>>): Promise<void> {
  if (server === undefined) return
  await over(
    { server },
    Object.values(reasons).reduce((sum, count) => sum + count, 0),
  )
  assert.deepEqual(counted({ server }), reasons)
}

/** A path for a socket, gone at the end. */
function socketPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyprotocol-'))
  t.after(() => {
    rmSync(folder, { recursive: true })
  })
  return join(folder, 'socket')
}

for (const [name, open] of doors) {
  test(`${name}: peers that are not trusted are clients of their own with untrusted: 'direct', and headers payload`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { trust: ['192.0.2.0/24'], untrusted: 'direct' } })
    const payloads = [V1, V2, LOCAL, 'PROXY TCP9 ', 'GET / HTTP/1.1\r\n\r\n', V2.subarray(0, 20), ''].map(
      String,
    )
    for (const payload of payloads) assert.deepEqual(await send(harness, door.port, payload), SERVED)
    assert.deepEqual(
      came(door),
      payloads.map(payload => ['127.0.0.1', undefined, payload]),
    )
    for (const { info } of door.seen) assert.equal(info?.source, info?.via.peer)
    assert.deepEqual(codes(door), [])
    await assertCounted(door, { done: payloads.length })
  })

  test(`${name}: with untrusted: 'direct' a peer is served before it has sent a byte`, async t => {
    const harness = createHarness(t)
    const options = { trust: [], untrusted: 'direct', limits: { pendingHeaders: 1 } } as const
    const door = await open(t, harness, { options })
    for (let clients = 1; clients <= 3; clients++) {
      harness.dial(door.port)
      await until(() => door.seen.length === clients)
    }
  })

  test(`${name}: with untrusted: 'direct' trusted peers must send a header all the same`, async t => {
    const harness = createHarness(t)
    let trusted = true
    const door = await open(t, harness, { options: { trust: () => trusted, untrusted: 'direct' } })
    await send(harness, door.port, 'hello')
    await send(harness, door.port, V2, 'hello')
    trusted = false
    await send(harness, door.port, 'hello')
    assert.deepEqual(codes(door), ['header_missing'])
    assert.deepEqual(came(door), [
      ['192.0.2.1', 2, 'hello'],
      ['127.0.0.1', undefined, 'hello'],
    ])
    await assertCounted(door, { done: 2, header_missing: 1 })
  })

  test(`${name}: peers that are not trusted are refused by default, without a header too (known bug 21)`, async t => {
    const harness = createHarness(t)
    for (const options of [{}, { untrusted: 'reject' }, { missing: 'direct' }] as const) {
      const door = await open(t, harness, { options: { trust: [], ...options } })
      for (const bytes of ['hello', V1, V2, LOCAL]) {
        assert.equal((await send(harness, door.port, bytes)).text, '')
      }
      assert.deepEqual(came(door), [])
      for (const { error } of door.refused) {
        assert.equal(error.message, worded('untrusted_peer', '127.0.0.1'))
      }
      assert.equal(door.refused.length, 4)
      await assertCounted(door, { untrusted_peer: 4 })
    }
  })

  test(`${name}: a trust predicate that throws serves nobody directly`, async t => {
    const harness = createHarness(t)
    const fault = new Error('predicate')
    const trust = (): boolean => {
      throw fault
    }
    const options = { trust, untrusted: 'direct', missing: 'direct' } as const
    const door = await open(t, harness, { options })
    assert.equal((await send(harness, door.port, 'hello')).text, '')
    assert.deepEqual(came(door), [])
    assert.deepEqual(codes(door), ['untrusted_peer'])
    assert.equal(door.refused[0]?.error.cause, fault)
    if (door.server) assert.deepEqual(door.errors, [fault])
  })

  for (const payload of ['hello', ALMOST_V1, ALMOST_V2, '\0']) {
    const bytes = Buffer.from(payload)

    test(`${name}: with missing: 'direct' ${JSON.stringify(String(payload))} comes once and in order, however it is cut`, async t => {
      const harness = createHarness(t)
      const door = await open(t, harness, { options: { missing: 'direct' } })
      const ways = Array.from(bytes, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)])
      ways.push(Array.from(bytes, byte => Buffer.of(byte)))
      for (const pieces of ways) {
        assert.deepEqual(await send(harness, door.port, ...pieces), SERVED)
        assert.deepEqual(came(door).at(-1), ['127.0.0.1', undefined, bytes.toString()])
      }
      assert.equal(door.seen.length, ways.length)
      await assertCounted(door, { done: ways.length })
    })
  }

  test(`${name}: with missing: 'direct' nothing of a large payload is lost`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { missing: 'direct' } })
    const payload = Array.from({ length: 40_000 }, (_, n) => n.toString(36)).join()
    for (const pieces of [[payload], ['PROX', payload], [SIGNATURE.subarray(0, 5), payload]]) {
      assert.deepEqual(await send(harness, door.port, ...pieces), SERVED)
      assert.equal(door.seen.at(-1)?.text, pieces.join(''))
    }
  })

  test(`${name}: with missing: 'direct' a header is believed where there is one`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { missing: 'direct' } })
    for (const header of [V1, V2, LOCAL, UNKNOWN]) {
      assert.deepEqual(await send(harness, door.port, header, 'hello'), SERVED)
      assert.deepEqual(await send(harness, door.port, Buffer.concat([header, V1])), SERVED)
    }
    assert.deepEqual(came(door), [
      ['192.0.2.1', 1, 'hello'],
      ['192.0.2.1', 1, String(V1)],
      ['192.0.2.1', 2, 'hello'],
      ['192.0.2.1', 2, String(V1)],
      ['127.0.0.1', 2, 'hello'],
      ['127.0.0.1', 2, String(V1)],
      ['127.0.0.1', 1, 'hello'],
      ['127.0.0.1', 1, String(V1)],
    ])
  })

  test(`${name}: with missing: 'direct' a silent client is served at the deadline, and what comes then is payload`, async t => {
    const harness = createHarness(t)
    const options = { missing: 'direct', timeouts: { header: TIMEOUT } } as const
    const door = await open(t, harness, { options })
    const since = performance.now()
    const client = harness.dial(door.port)
    const ended = outcome(client)
    await until(() => door.seen.length === 1)
    assert.ok(performance.now() - since >= TIMEOUT - 1, 'not before it')
    client.end(V2)
    assert.deepEqual(await ended, SERVED)
    assert.deepEqual(came(door), [['127.0.0.1', undefined, String(V2)]])
    assert.deepEqual(codes(door), [])
    await assertCounted(door, { done: 1 })
  })

  test(`${name}: with missing: 'direct' a client that closes without a byte is a quiet probe`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { missing: 'direct' } })
    assert.equal((await send(harness, door.port, '')).text, '')
    const client = harness.dial(door.port)
    await until(() => door.accepted.length === 2)
    client.resetAndDestroy()
    await turns()
    assert.deepEqual([came(door), codes(door)], [[], []])
    await assertCounted(door, { probe: 2 })
  })

  test(`${name}: with missing: 'direct' a part of a header is no payload`, async t => {
    const harness = createHarness(t)
    const short = { missing: 'direct', timeouts: { header: TIMEOUT } } as const
    const [door, late] = [
      await open(t, harness, { options: { missing: 'direct' } }),
      await open(t, harness, { options: short }),
    ]
    const parts = ['P', V1.subarray(0, 20), V2.subarray(0, 12), V2.subarray(0, 27)]
    for (const part of parts) assert.equal((await send(harness, door.port, part)).text, '')
    assert.deepEqual(codes(door), Array.from({ length: parts.length }).fill('header_truncated'))
    await assertCounted(door, { header_invalid: parts.length })
    for (const part of parts) {
      const silent = harness.dial(late.port)
      silent.write(part)
      silent.once('end', () => silent.end())
      assert.equal((await outcome(silent)).text, '')
      const message = worded('header_timeout', `${part.length} bytes had come after ${TIMEOUT} ms`)
      assert.equal(late.refused.at(-1)?.error.message, message)
    }
    await assertCounted(late, { header_timeout: parts.length })
    assert.deepEqual([came(door), came(late)], [[], []])
  })

  test(`${name}: with missing: 'direct' a malformed header is no payload`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { missing: 'direct' } })
    const checked = encode({ source: SOURCE, destination: DESTINATION }, { checksum: true })
    checked.writeUInt8(checked.readUInt8(checked.length - 1) ^ 1, checked.length - 1)
    const wrong: readonly (readonly [bytes: Bytes, code: ErrorCode])[] = [
      ['PROXY TCP9 ', 'v1_protocol'],
      ['PROXY TCP4 192.0.2.256 198.51.100.7 1 2\r\n', 'v1_address'],
      [`PROXY UNKNOWN${'x'.repeat(100)}`, 'v1_too_long'],
      [Buffer.concat([SIGNATURE, Buffer.of(0x31)]), 'v2_version'],
      [Buffer.concat([SIGNATURE, Buffer.of(0x21, 0x11, 0, 11), Buffer.alloc(11)]), 'v2_length'],
      [checked, 'checksum_mismatch'],
    ]
    for (const [bytes, code] of wrong) {
      assert.equal((await send(harness, door.port, bytes)).text, '')
      assert.equal(codes(door).at(-1), code)
    }
    assert.deepEqual(came(door), [])
    await assertCounted(door, { header_invalid: wrong.length })
  })

  test(`${name}: with missing: 'direct' a header of a version that is not accepted is payload, and not believed`, async t => {
    const harness = createHarness(t)
    for (const [version, bytes] of [
      ['v2', V1],
      ['v1', V2],
    ] as const) {
      const door = await open(t, harness, { options: { missing: 'direct', version } })
      assert.deepEqual(await send(harness, door.port, bytes), SERVED)
      assert.deepEqual(came(door), [['127.0.0.1', undefined, String(bytes)]])
    }
  })

  test(`${name}: a peer that is gone before it is looked at is a quiet probe, whoever is served directly`, async t => {
    const harness = createHarness(t)
    const settings: readonly Partial<AttachOptions>[] = [
      { trust: [], untrusted: 'direct' },
      { trust: ['0.0.0.0/0'], missing: 'direct' },
      { trust: 'anyone', missing: 'direct' },
    ]
    for (const options of settings) {
      const door = await open(t, harness, { options })
      // This process accepts nothing while it waits for the other one.
      const script = `const s = require('net').connect(${door.port}, '127.0.0.1', () => s.resetAndDestroy())`
      assert.equal(spawnSync(process.execPath, ['-e', script]).status, 0)
      await until(() => door.accepted.length === 1)
      await turns()
      assert.deepEqual([came(door), codes(door)], [[], []])
      await assertCounted(door, { probe: 1 })
    }
  })

  test(`${name}: the rules hold for peers on a UNIX socket`, async t => {
    const harness = createHarness(t)
    const settings: readonly (readonly [options: Partial<AttachOptions>, bytes: Bytes, expected: unknown])[] =
      [
        [{ trust: ['unix'] }, V2, ['192.0.2.1', 2, '']],
        [{ trust: ['unix'] }, LOCAL, [undefined, 2, '']],
        [{ trust: ['unix'] }, 'hello', errorMessages.header_missing],
        [{ trust: ['unix'], missing: 'direct' }, 'hello', [undefined, undefined, 'hello']],
        [{ trust: ['127.0.0.1'] }, V2, errorMessages.untrusted_peer],
        [{ trust: [], untrusted: 'direct' }, V2, [undefined, undefined, String(V2)]],
      ]
    for (const [options, bytes, expected] of settings) {
      const path = socketPath(t)
      const door = await open(t, harness, { options, path })
      await send(harness, path, bytes)
      const [refused] = door.refused
      if (typeof expected === 'string')
        assert.ok(refused?.error.message.startsWith(expected), refused?.error.message)
      else assert.deepEqual([came(door), refused], [[expected], undefined])
    }
  })

  test(`${name}: validators are asked in their order, and the first that refuses is the last that is asked`, async t => {
    const harness = createHarness(t)
    const asked: string[] = []
    const ask =
      (who: string, refusal?: ProxyProtocolError): Validator =>
      ({ source }) => {
        asked.push(`${who} ${source && 'address' in source ? source.address : ''}`)
        return refusal
      }
    const first = new ProxyProtocolError('denied_dnsbl', { detail: 'first' })
    const second = new ProxyProtocolError('denied_acl', { detail: 'second' })
    const validate = [ask('a'), ask('b', first), ask('c', second)]
    const door = await open(t, harness, { options: { validate } })
    assert.equal((await send(harness, door.port, V2, 'hello')).text, '')
    assert.deepEqual(asked, ['a 192.0.2.1', 'b 192.0.2.1'])
    assert.deepEqual(came(door), [])
    assert.equal(door.refused[0]?.error, first)
    await assertCounted(door, { denied_dnsbl: 1 })
  })

  test(`${name}: what a refused header says is in the message that tells of it`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { validate: allowSources(['203.0.113.0/24']) } })
    await send(harness, door.port, V2)
    const [{ info } = assert.fail()] = door.refused
    assert.deepEqual([info.source, info.destination, info.header?.version], [SOURCE, DESTINATION, 2])
    assert.deepEqual(info.via.peer && 'address' in info.via.peer && info.via.peer.address, '127.0.0.1')
  })

  test(`${name}: validators that accept see the connection once, and nobody asks them without a header`, async t => {
    const harness = createHarness(t)
    let asked = 0
    const validate = (): undefined => {
      asked++
    }
    const door = await open(t, harness, { options: { validate, missing: 'direct' } })
    assert.deepEqual(await send(harness, door.port, V2, 'hello'), SERVED)
    assert.equal(asked, 1)
    assert.deepEqual(await send(harness, door.port, 'hello'), SERVED)
    assert.equal(asked, 1)
    const untrusted = await open(t, harness, { options: { validate, trust: [], untrusted: 'direct' } })
    assert.deepEqual(await send(harness, untrusted.port, V2), SERVED)
    assert.equal(asked, 1)
  })

  const NO_VERDICT = 'a validator must give undefined or a ProxyProtocolError, at once'
  const verdicts: Readonly<Record<string, () => unknown>> = {
    'a promise': () => Promise.resolve(undefined),
    'a promise that rejects': () => Promise.reject(new Error('late')),
    true: () => true,
    false: () => false,
    null: () => null,
    'an error of another kind': () => new Error('denied'),
  }
  for (const [verdict, validator] of Object.entries(verdicts)) {
    test(`${name}: a validator that gives ${verdict} refuses, and onError hears of it once`, async t => {
      const harness = createHarness(t)
      const door = await open(t, harness, { options: { validate: untyped(validator) } })
      assert.equal((await send(harness, door.port, V2, 'hello')).text, '')
      assert.deepEqual(came(door), [])
      const [{ error } = assert.fail(), ...more] = door.refused
      assert.deepEqual(more, [])
      assert.deepEqual([error.code, error.message], ['denied_acl', worded('denied_acl', NO_VERDICT)])
      assert.deepEqual(error.cause, new TypeError(NO_VERDICT))
      if (door.server) assert.deepEqual(door.errors, [error.cause])
      await assertCounted(door, { denied_acl: 1 })
    })
  }

  test(`${name}: a validator that throws refuses, and onError hears of it once`, async t => {
    const harness = createHarness(t)
    const fault = new Error('validator')
    const validate = (): never => {
      throw fault
    }
    const door = await open(t, harness, {
      options: { validate: [validate, () => assert.fail('it was asked')] },
    })
    assert.equal((await send(harness, door.port, V2, 'hello')).text, '')
    assert.deepEqual(came(door), [])
    const [{ error } = assert.fail(), ...more] = door.refused
    assert.deepEqual(more, [])
    assert.equal(error.message, worded('denied_acl', 'a validator threw'))
    assert.equal(error.cause, fault)
    if (door.server) assert.deepEqual(door.errors, [fault])
    await assertCounted(door, { denied_acl: 1 })
  })
}
