// Checks by the protocols of MySQL and PostgreSQL.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answering, conversation } from '../../../support/conversation.ts'

const mysql = { type: 'mysql', user: 'check' } as const
const GREETING = packet(0, '\x0a8.0.0\0')
const OK = '\x00\x00\x00\x02\x00\x00\x00'
const LOGIN = packet(
  1,
  `\x01\x82\x08\x00\x00\x00\x00\x01\x2d${'\0'.repeat(23)}check\0\0mysql_native_password\0`,
)
const QUIT = packet(0, '\x01')

/** A packet of MySQL. */
function packet(sequence: number, payload: string): string {
  return `${String.fromCharCode(payload.length, 0, 0, sequence)}${payload}`
}

test('a check by MySQL logs in without a password, and quits', async t => {
  const { heard, fault } = await conversation(t, mysql, answering({ [LOGIN]: packet(2, OK) }, GREETING))
  assert.equal(fault, undefined)
  assert.ok(heard().startsWith(LOGIN))
})

test('a check by MySQL gives the empty password to any other method', async t => {
  const wants = packet(2, '\xfecaching_sha2_password\0salt')
  const upstream = answering({ [LOGIN]: wants, [packet(3, '')]: packet(4, OK), [QUIT]: '' }, GREETING)
  assert.equal((await conversation(t, mysql, upstream)).fault, undefined)
})

test('a MySQL that refuses fails its check, with its own number and words', async t => {
  const full = await conversation(t, mysql, answering({}, packet(0, '\xff\x10\x04Too many connections')))
  assert.equal(full.fault, 'expected a greeting, got error 1040 "Too many connections"')
  const denied = answering({ [LOGIN]: packet(2, '\xff\x15\x04#28000Access denied') }, GREETING)
  assert.equal(
    (await conversation(t, mysql, denied)).fault,
    'expected OK to the login, got error 1045 "Access denied"',
  )
})

test('what is no MySQL fails its check', async t => {
  const old = await conversation(t, mysql, answering({}, packet(0, '\x09old')))
  assert.equal(old.fault, 'expected a greeting, got "\\told"')
  const short = await conversation(t, mysql, answering({}, packet(0, '\xff')))
  assert.equal(short.fault, 'expected a greeting, got "ÿ"')
  const web = await conversation(t, mysql, socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  assert.match(String(web.fault), /^expected a greeting, got the end of the connection after "HTTP/)
})

const postgresql = { type: 'postgresql', user: 'check' } as const
const WHAT = 'a request for authentication'
const STARTUP = message(
  '',
  '\0\x03\0\0user\0check\0database\0postgres\0application_name\0proxyprotocol-server\0\0',
)

/** A message of PostgreSQL. */
function message(type: string, payload: string): string {
  return `${type}\0\0\0${String.fromCharCode(payload.length + 4)}${payload}`
}

test('a PostgreSQL that asks for a password has passed, and gets no answer', async t => {
  const upstream = answering({ [STARTUP]: message('R', '\0\0\0\x0aSCRAM-SHA-256\0\0') })
  const { heard, fault } = await conversation(t, postgresql, upstream)
  assert.deepEqual([fault, heard()], [undefined, STARTUP])
})

test('a session that needs no password is ended once it is ready', async t => {
  const ready = message('R', '\0\0\0\0') + message('S', 'TimeZone\0UTC\0') + message('Z', 'I')
  const upstream = answering({ [STARTUP]: ready, [message('X', '')]: '' })
  const { fault, socket } = await conversation(t, postgresql, upstream)
  assert.deepEqual([fault, socket.bytesWritten], [undefined, STARTUP.length + 5])
})

test('a PostgreSQL that is starting fails its check, in its own words', async t => {
  const fields = ['SFATAL', 'VFATAL', 'C57P03', 'Mthe database system is starting up', '', '']
  const starting = answering({ [STARTUP]: message('E', fields.join('\0')) })
  const { fault } = await conversation(t, postgresql, starting)
  assert.equal(fault, `expected ${WHAT}, got FATAL "the database system is starting up"`)
  const bare = await conversation(t, postgresql, answering({ [STARTUP]: message('E', '\0') }))
  assert.equal(bare.fault, `expected ${WHAT}, got an error ""`)
})

test('what is no PostgreSQL fails its check', async t => {
  const { fault } = await conversation(t, postgresql, socket => socket.end('SSH-2.0-OpenSSH\r\n'))
  assert.equal(fault, `expected ${WHAT}, got the end of the connection after "SSH-2.0-OpenSSH\\r\\n"`)
  const nonsense = await conversation(t, postgresql, socket => socket.end('x\0\0\0\0'))
  assert.match(String(nonsense.fault), /the end of the connection$/)
})
