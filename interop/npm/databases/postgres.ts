// A PostgreSQL server as far as a client needs one: its first exchange, with TLS if the client asks, and an answer to every
// query with the address of the client.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { startTls } from 'proxyprotocol/server'
import { certificate } from '../support.ts'

const SSL_REQUEST = 80_877_103
const INT32 = 4
const TEXT_OID = 25

/** A message of the server: its type, its length and its content. */
function message(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(1 + INT32, type)
  head.writeInt32BE(content.length + INT32, 1)
  return Buffer.concat([head, content])
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(INT32)
  bytes.writeInt32BE(value)
  return bytes
}

const ready = message('Z', Buffer.from('I'))

/** The answer to a query: one row, whose one column `address` is this text. */
function answerOf(text: string): Buffer {
  const column = [
    Buffer.from('address\0'),
    int32(0),
    int16(0),
    int32(TEXT_OID),
    int16(-1),
    int32(-1),
    int16(0),
  ]
  return Buffer.concat([
    message('T', Buffer.concat([int16(1), ...column])),
    message('D', Buffer.concat([int16(1), int32(text.length), Buffer.from(text)])),
    message('C', Buffer.from('SELECT 1\0')),
    ready,
  ])
}

/** Reads one message; those without a type are the first of a connection. */
async function read(socket: Socket, typed: boolean): Promise<{ type: string; content: Buffer }> {
  const type = typed ? String(await take(socket, 1)) : ''
  const length = (await take(socket, INT32)).readInt32BE()
  return { type, content: await take(socket, length - INT32) }
}

async function take(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = (length === 0 ? Buffer.alloc(0) : socket.read(length)) as Buffer | null
    if (bytes) return bytes
    await once(socket, 'readable')
  }
}

/** Serves a connection; rejects if the client breaks it off. */
export async function servePostgres(raw: Socket): Promise<void> {
  let socket = raw
  let { content } = await read(socket, false)
  if (content.readInt32BE() === SSL_REQUEST) {
    socket.write('S')
    socket = await startTls(raw, certificate)
    ;({ content } = await read(socket, false))
  }
  assert.match(String(content), /user\0someone\0/)
  socket.write(Buffer.concat([message('R', int32(0)), ready]))
  for (;;) {
    const { type } = await read(socket, true)
    if (type === 'X') return void socket.end()
    socket.write(answerOf(`${String(socket.remoteAddress)}:${String(socket.remotePort)}`))
  }
}
