// Validators, gone peers and UNIX sockets, for createServer() and attach().

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { turns, until } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { temporaryFolder } from 'test-support/folder'
import { errorMessages, ProxyProtocolError, type ErrorCode } from '../../../src/codec/index.ts'
import { allowSources, type AttachOptions, type Validator } from '../../../src/server/index.ts'
import { doors, type Door } from '../../support/doors.ts'
import { DESTINATION, LOCAL, SOURCE, V2 } from '../../support/headers.ts'
import { createHarness } from '../../support/harness.ts'
import { SERVED, send, came, worded, assertCounted } from '../../support/admitted.ts'

type Bytes = Uint8Array | string

function codes({ refused }: Door): readonly ErrorCode[] {
  return refused.map(({ error }) => error.code)
}

/** A path for a socket, gone at the end. */
function socketPath(t: TestContext): string {
  const folder = temporaryFolder(t)
  return join(folder, 'socket')
}

for (const [name, open] of doors) {
  test(`${name}: a peer that is gone before it is looked at is a quiet probe, also where peers are served directly`, async t => {
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

  test(`${name}: validators that accept see the connection once, and are not asked without a header`, async t => {
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

  const wrong: readonly (readonly [answer: unknown, shown: string])[] = [
    [true, 'true'],
    [false, 'false'],
    [null, 'null'],
    [new Error('denied'), '{  }'],
  ]
  for (const [answer, shown] of wrong.flatMap(each => [each, [Promise.resolve(each[0]), each[1]] as const])) {
    const verdict = answer instanceof Promise ? `a promise of ${shown}` : shown
    test(`${name}: a validator that returns ${verdict} refuses, and onError hears of it once`, async t => {
      const harness = createHarness(t)
      const door = await open(t, harness, { options: { validate: untyped(() => answer) } })
      assert.equal((await send(harness, door.port, V2, 'hello')).text, '')
      assert.deepEqual(came(door), [])
      const [{ error } = assert.fail(), ...more] = door.refused
      assert.deepEqual(more, [])
      assert.deepEqual(
        [error.code, error.message],
        ['denied_acl', worded('denied_acl', 'a validator failed')],
      )
      const message = `a validator must return undefined or a ProxyProtocolError, got ${shown}`
      assert.deepEqual(error.cause, new TypeError(message))
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
    assert.equal(error.message, worded('denied_acl', 'a validator failed'))
    assert.equal(error.cause, fault)
    if (door.server) assert.deepEqual(door.errors, [fault])
    await assertCounted(door, { denied_acl: 1 })
  })
}
