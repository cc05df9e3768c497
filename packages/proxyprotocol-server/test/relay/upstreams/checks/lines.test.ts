// Checks by protocols of lines: SMTP, Redis, and what an operator writes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answering, conversation } from '../../../support/conversation.ts'

const smtp = { type: 'smtp' } as const
const GREETING = '220-mail.example\r\n220 ESMTP\r\n'
const MAIL = { 'EHLO localhost\r\n': '250-mail.example\r\n250 SIZE 1000\r\n', 'QUIT\r\n': '221 bye\r\n' }

test('a check by SMTP greets with EHLO, and leaves with QUIT', async t => {
  const { heard, fault } = await conversation(t, smtp, answering(MAIL, GREETING))
  assert.deepEqual([fault, heard()], [undefined, 'EHLO localhost\r\nQUIT\r\n'])
  const named = { 'EHLO relay.example\r\n': '250 ok\r\n', 'QUIT\r\n': '221 bye\r\n' }
  const other = await conversation(t, { ...smtp, host: 'relay.example' }, answering(named, GREETING))
  assert.equal(other.fault, undefined)
})

test('a mail server that refuses fails the check at the reply that does', async t => {
  const busy = await conversation(t, smtp, answering({}, '421 too busy\r\n'))
  assert.equal(busy.fault, 'expected the greeting 220, got "421 too busy"')
  const picky = { 'EHLO localhost\r\n': '550 no\r\n' }
  const refused = await conversation(t, smtp, answering(picky, GREETING))
  assert.equal(refused.fault, 'expected the reply 250, got "550 no"')
  const odd = { ...MAIL, 'QUIT\r\n': '500 what\r\n' }
  const last = await conversation(t, smtp, answering(odd, GREETING))
  assert.equal(last.fault, 'expected the reply 221, got "500 what"')
})

const PING = '*1\r\n$4\r\nPING\r\n'

for (const answer of ['+PONG', '-NOAUTH Authentication required.']) {
  test(`a Redis that answers ${answer} has passed`, async t => {
    const { fault } = await conversation(t, { type: 'redis' }, answering({ [PING]: `${answer}\r\n` }))
    assert.equal(fault, undefined)
  })
}

test('a Redis that is loading fails its check', async t => {
  const loading = '-LOADING Redis is loading the dataset in memory\r\n'
  const { fault } = await conversation(t, { type: 'redis' }, answering({ [PING]: loading }))
  assert.equal(fault, `expected +PONG, got "${loading.trimEnd()}"`)
})

test('what an operator expects may stand anywhere in the answer', async t => {
  const [send, expect] = [Buffer.from('version\r\n'), Buffer.from('1.6')]
  const check = { type: 'send-expect', send, expect } as const
  const right = await conversation(t, check, answering({ 'version\r\n': 'VERSION 1.6.9\r\n' }))
  assert.equal(right.fault, undefined)
  const wrong = await conversation(t, check, socket => socket.end('VERSION 1.5\r\n'))
  assert.equal(wrong.fault, 'expected "1.6", got the end of the connection after "VERSION 1.5\\r\\n"')
})

test('an upstream that speaks first is sent nothing if there is nothing to send', async t => {
  const check = { type: 'send-expect', expect: Buffer.from('SSH-2.0') } as const
  const { heard, fault } = await conversation(t, check, answering({}, 'SSH-2.0-x\r\n'))
  assert.deepEqual([heard(), fault], ['', undefined])
})
