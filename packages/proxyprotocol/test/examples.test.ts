// The programs of examples/, run as their readers run them; those with other packages are in interop.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { certificate } from 'test-support/certificates'
import { temporaryFolder } from 'test-support/folder'
import { text } from 'test-support/sockets'
import { attach } from '../src/server/index.ts'
import { V2 } from './support/headers.ts'
import { createHarness, type Harness } from './support/harness.ts'
import { secureOver } from './support/secure.ts'
import { say } from './support/smtp.ts'

interface Example {
  readonly port: number
  /** The next line that it prints. */
  readonly line: () => Promise<string>
  /** Ends it as an operator does; resolves with its exit code. */
  readonly stop: () => Promise<number | null>
}

/** Runs an example until the test ends. */
async function start(harness: Harness, name: string, env: NodeJS.ProcessEnv = {}): Promise<Example> {
  const program = fileURLToPath(new URL(`../../../examples/${name}.js`, import.meta.url))
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  harness.defer(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const line = async (): Promise<string> => String((await lines.next()).value)
  const port = Number(/port: (\d+)/.exec(await line())?.[1])
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM')
    return (await exited)[0]
  }
  return { port, line, stop }
}

test('examples/drain.js lets a connection finish after SIGTERM, and reports it', async t => {
  const harness = createHarness(t)
  const { port, line, stop } = await start(harness, 'drain')
  const client = harness.dial(port)
  client.write(V2)
  assert.equal(await text(client, 16), 'hello 192.0.2.1\n')
  const stopped = stop()
  client.end('the last')
  assert.equal(await text(client), 'the last')
  assert.match(await line(), /^closed \{ drained: 1, forced: 0, stuck: \[\] \}$/)
  assert.equal(await stopped, 0)
})

test('examples/gateway.js announces each client to the upstream, and keeps clients apart', async t => {
  const harness = createHarness(t)
  const upstream = attach(
    http.createServer(({ socket, url }, response) => {
      response.end(`${url} by ${socket.remoteAddress}:${socket.remotePort}`)
    }),
    { trust: ['127.0.0.1'] },
  ).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  harness.defer(() => {
    upstream.closeAllConnections()
    upstream.close()
  })
  const { port: at } = upstream.address() as AddressInfo
  const { port } = await start(harness, 'gateway', { UPSTREAM: `http://127.0.0.1:${at}` })
  const request = 'GET /path HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'
  for (const [header, client] of [
    [V2, '192.0.2.1:56324'],
    ['PROXY TCP4 192.0.2.2 198.51.100.7 1000 443\r\n', '192.0.2.2:1000'],
  ] as const) {
    const socket = harness.dial(port)
    socket.write(header)
    socket.write(request)
    assert.match(await text(socket), new RegExp(`/path by ${client}`))
  }
})

test('examples/smtp.js knows the client of a mail, in clear and after STARTTLS', async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const [KEY, CERT] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  writeFileSync(KEY, certificate.key)
  writeFileSync(CERT, certificate.cert)
  const { port, line } = await start(harness, 'smtp', { KEY, CERT })
  const raw = harness.dial(port)
  raw.write(V2)
  await say(raw, '', 220)
  await say(raw, 'EHLO client', 250)
  await say(raw, 'MAIL FROM:<a@example.org>', 250)
  await say(raw, 'RSET', 250)
  await say(raw, 'STARTTLS', 220)
  const { secure } = secureOver(harness, raw)
  await say(secure, 'EHLO client', 250)
  await say(secure, 'MAIL FROM:<b@example.org>', 250)
  assert.equal(await line(), 'mail from a@example.org by 192.0.2.1, in clear')
  assert.equal(await line(), 'mail from b@example.org by 192.0.2.1, encrypted')
})
