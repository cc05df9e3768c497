// proxyprotocol-echo --page: what a browser is answered, and that anything else comes back whole.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { encodeHeader, tlv } from 'proxyprotocol'
import { content } from 'test-support/sockets'
import { runEcho } from '../../../src/cli/index.ts'
import { start, type Running } from '../../support/program.ts'
import { chunk, dial, outcome, random } from '../../support/connections.ts'

const source = { address: '192.0.2.1', port: 51234 }
const destination = { address: '198.51.100.1', port: 443 }
const request = 'GET / HTTP/1.1\r\nHost: example.org\r\n\r\n'

/** What comes back for some bytes; without an end of our own, as browsers wait. */
async function answered(
  t: TestContext,
  { ports: [port = 0] }: Running,
  ...pieces: (string | Uint8Array)[]
): Promise<string> {
  const client = dial(t, port)
  for (const piece of pieces) client.write(piece)
  return (await content(client)).toString()
}

async function echoed(t: TestContext, { ports: [port = 0] }: Running, bytes: Uint8Array): Promise<Buffer> {
  const client = dial(t, port)
  client.end(bytes)
  return content(client)
}

test('a GET is answered with the page, and the header that was in front of it', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0', '--page'])
  const header = encodeHeader(
    { source, destination, tlvs: [tlv.authority('example.org')] },
    { checksum: true },
  )
  const answer = await answered(t, echo, header, request)
  const [head = '', body = ''] = answer.split(/\r\n\r\n([^]*)/)
  assert.match(
    head,
    /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/html; charset=utf-8\r\ncontent-length: (\d+)\r\nconnection: close\r\n/,
  )
  assert.equal(Number(/content-length: (\d+)/.exec(head)?.[1]), Buffer.byteLength(body))
  assert.ok(body.includes(`<body data-arrived="${Buffer.from(header).toString('hex')}">`))
  await echo.io.line(/ connection .* source=192\.0\.2\.1:51234 /)
})

test('what is not judged in a header is shown as it came', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0', '--page'])
  const local = Buffer.from(`0d0a0d0a000d0a515549540a20000010${'03000401020304'.repeat(2)}0909`, 'hex')
  for (const header of [
    local,
    encodeHeader({ version: 1, family: 'UNSPEC' }),
    encodeHeader({ family: 'UNSPEC' }),
  ]) {
    const hex = Buffer.from(header).toString('hex')
    assert.ok((await answered(t, echo, header, request)).includes(`data-arrived="${hex}"`), hex)
  }
})

test('a GET in pieces is one, and without a header it shows none', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0?pp=noop', '--page'])
  const client = dial(t, echo.ports[0] ?? 0)
  client.write('G')
  for (const piece of ['ET /?a HTT', 'P/1.0\r\n', '\r\n']) {
    await new Promise(resolve => client.write(piece, resolve))
  }
  assert.match((await content(client)).toString(), /^HTTP\/1\.1 200 OK\r\n[^]*<body data-arrived="">/)
})

test('any other path is not found', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0?pp=noop', '--page'])
  const answer = await answered(t, echo, request.replace('/ ', '/favicon.ico '))
  assert.match(answer, /^HTTP\/1\.1 404 Not Found\r\n[^]*content-length: 0\r\n[^]*\r\n\r\n$/)
})

test('whatever is not a GET comes back, to the last byte', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0?pp=noop', '--page'])
  const texts = ['', 'G', 'GET', 'GET /', request.replace('GET', 'PUT'), 'GET / FTP/1.1\r\n\r\n', 'hello']
  for (const text of texts) assert.equal((await echoed(t, echo, Buffer.from(text))).toString(), text)
  const long = Buffer.concat([Buffer.from('GET /'), random(200_000)])
  assert.ok((await echoed(t, echo, long)).equals(long))
  const talk = dial(t, echo.ports[0] ?? 0)
  for (const word of ['hello', 'again']) {
    talk.write(word)
    assert.equal((await chunk(talk)).toString(), word)
  }
})

test('without --page a GET comes back as well', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0?pp=noop'])
  assert.equal((await echoed(t, echo, Buffer.from(request))).toString(), request)
})

test('a client that resets while it may still be a browser is not a fault of the echo', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0?pp=noop', '--page'])
  const client = dial(t, echo.ports[0] ?? 0)
  client.write('GE')
  await echo.io.line(/ connection /)
  client.resetAndDestroy()
  await outcome(client)
  assert.equal(await echo.stop(), 0)
  assert.ok(echo.io.written.every(line => !line.includes(' failed ')))
})
