// Answers a browser with the inspector's page and the header in front of its request.

import type { Socket } from 'node:net'
import { encodeHeader, type ProxyHeader } from 'proxyprotocol'
import type { Connection } from 'proxyprotocol/server'
import { plainHex } from '../../explain/index.ts'

const MAX_REQUEST_BYTES = 16_384
const LENGTH_AT = 14
const METHOD = 'GET '
const REQUEST = /^GET (\S+) HTTP\/1\.[01]\r\n(?:[^]*\r\n)?\r\n/
const HEADERS =
  'connection: close\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\n' +
  "content-security-policy: frame-ancestors 'none'\r\n"

/** @returns other bytes to be echoed; undefined if the page was sent. */
export async function answerBrowser({ socket, info }: Connection, page: string): Promise<Buffer | undefined> {
  const start = await startOf(socket)
  const [, path] = REQUEST.exec(start.toString('latin1')) ?? []
  if (path === undefined) return start
  const shown = /^\/(\?.*)?$/.test(path)
  const body = shown
    ? page.replace('data-arrived=""', `data-arrived="${plainHex(bytesOf(info.header))}"`)
    : ''
  socket.end(
    `HTTP/1.1 ${shown ? '200 OK' : '404 Not Found'}\r\ncontent-type: text/html; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n${HEADERS}\r\n${body}`,
  )
  return undefined
}

async function startOf(socket: Socket): Promise<Buffer> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk as Buffer]) // without an encoding read() returns bytes
    if (!METHOD.startsWith(bytes.toString('latin1', 0, METHOD.length))) break
    if (bytes.length > MAX_REQUEST_BYTES || bytes.includes('\r\n\r\n')) break
  }
  return bytes
}

function bytesOf(header: ProxyHeader | undefined): Uint8Array {
  if (header === undefined) return new Uint8Array()
  if (header.family !== 'UNSPEC' || header.version === 1) return encodeHeader(header)
  const { block } = header
  const bytes = Buffer.concat([encodeHeader({ ...header, tlvs: [] }), block])
  bytes.writeUInt16BE(block.length, LENGTH_AT)
  return bytes
}
