// Checks by HTTP.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { until } from 'test-support/sockets'
import { answering, conversation } from '../../../support/conversation.ts'

/** What comes after the request. */
function upstream(answer: string) {
  return (socket: Socket): void => {
    socket.once('data', () => socket.end(answer))
  }
}

test('a check by HTTP asks for the path, and names host and port of the upstream', async t => {
  const check = { type: 'http', path: '/healthz?full' } as const
  const { heard, fault, socket } = await conversation(t, check, upstream('HTTP/1.1 200 OK\r\n\r\n'))
  assert.equal(fault, undefined)
  assert.equal(
    heard(),
    `GET /healthz?full HTTP/1.1\r\nHost: 127.0.0.1:${String(socket.remotePort)}\r\nUser-Agent: proxyprotocol-server\r\n` +
      'Connection: close\r\n\r\n',
  )
})

test('a check by HTTP sends the method and the host that are given', async t => {
  const check = { type: 'http', method: 'HEAD', host: 'app.example' } as const
  const { heard } = await conversation(t, check, upstream('HTTP/1.0 204\r\n\r\n'))
  assert.match(heard(), /^HEAD \/ HTTP\/1\.1\r\nHost: app\.example\r\n/)
})

test('a status outside of what is expected fails the check', async t => {
  const busy = upstream('HTTP/1.1 503 Service Unavailable\r\n\r\n')
  const { fault } = await conversation(t, { type: 'http' }, busy)
  assert.equal(fault, 'expected a status from 200 to 399, got 503')
  const status = { first: 503, last: 503 }
  assert.equal((await conversation(t, { type: 'http', status }, busy)).fault, undefined)
  const teapot = { first: 418, last: 418 }
  const other = await conversation(t, { type: 'http', status: teapot }, busy)
  assert.equal(other.fault, 'expected status 418, got 503')
})

test('an upstream that does not speak HTTP fails the check', async t => {
  const { fault } = await conversation(t, { type: 'http' }, answering({}, 'SSH-2.0-OpenSSH_9.2\r\n'))
  assert.equal(fault, 'expected a status from 200 to 399, got "SSH-2.0-OpenSSH_9.2"')
})

test('a body that does not end delays a check by HTTP until its timeout, and the check has passed', async t => {
  const { fault } = await conversation(t, { type: 'http', timeout: 30 }, socket => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
  })
  assert.equal(fault, undefined)
})

test('a server gets its whole answer out before a check by HTTP leaves', async t => {
  const finished: boolean[] = []
  const server = createServer((_, response) => {
    response.on('close', () => finished.push(response.writableFinished)).end('x'.repeat(1_000_000))
  })
  const { fault } = await conversation(t, { type: 'http' }, socket => server.emit('connection', socket))
  await until(() => finished.length === 1)
  assert.deepEqual([fault, finished], [undefined, [true]])
})
