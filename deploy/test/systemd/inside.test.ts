// What the units do, in order. It runs in the container that deploy/test/systemd.test.ts starts.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'

const UNIT = 'proxyprotocol.service'
const CONTROL = '/run/proxyprotocol/control.sock'
const FILE = '/etc/proxyprotocol/proxy.json'

test('systemd opens the socket, and starts the program at the first connection', async () => {
  configure(await echo('one '))
  assert.equal(systemctl('start', 'proxyprotocol.socket'), 0)
  assert.equal(shown('ActiveState'), 'inactive')
  const client = await greeted('one ')
  assert.equal(shown('ActiveState'), 'active')
  await end(client)
})

test('the program has no privileges', () => {
  const status = readFileSync(`/proc/${shown('MainPID')}/status`, 'utf8')
  assert.match(status, /^CapEff:\s+0+$/m)
  assert.match(status, /^CapBnd:\s+0+$/m)
  assert.match(status, /^NoNewPrivs:\s+1$/m)
  assert.match(status, /^Seccomp:\s+2$/m)
  assert.doesNotMatch(status, /^Uid:\s+0\b/m)
})

test('a reload changes the upstream, and keeps process and connections', async () => {
  const [before, pid] = [await greeted('one '), shown('MainPID')]
  configure(await echo('two '))
  assert.equal(systemctl('reload', UNIT), 0)
  await end(await eventually('two '))
  await answers(before, 'still ')
  assert.equal(shown('MainPID'), pid)
  await end(before)
})

test('a reload of a wrong configuration fails, and changes nothing', async () => {
  const right = readFileSync(FILE)
  writeFileSync(FILE, '{ "services": [{ "listen": "nowhere" }] }')
  assert.notEqual(systemctl('reload', UNIT), 0)
  writeFileSync(FILE, right)
  await end(await greeted('two '))
})

test('root operates the program through its control socket', () => {
  assert.equal(spawnSync('proxyprotocol-server', ['ctl', 'reload', '--socket', CONTROL]).status, 0)
})

test('a restart lets open connections end, and serves those that come meanwhile', async () => {
  const [before, pid] = [await greeted('two '), shown('MainPID')]
  assert.equal(systemctl('restart', '--no-block', UNIT), 0)
  const waiting = Promise.all(Array.from({ length: 50 }, () => greeted('two ')))
  await answers(before, 'drained ')
  await end(before)
  for (const client of await waiting) await end(client)
  assert.notEqual(shown('MainPID'), pid)
})

test('a stop succeeds', () => {
  assert.equal(systemctl('stop', 'proxyprotocol.socket', UNIT), 0)
  assert.equal(shown('Result'), 'success')
  assert.equal(shown('ExecMainStatus'), '0')
})

/** An upstream that begins with a greeting, and then sends back what it gets; without PROXY protocol. */
async function echo(greeting: string): Promise<number> {
  const server = createServer(socket => {
    socket.write(greeting)
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

function configure(port: number): void {
  const tls = { directory: `/run/credentials/${UNIT}` }
  const service = { name: 'web', listen: 'ssl://:443', tls, upstream: `127.0.0.1:${port}?pp=noop` }
  writeFileSync(FILE, JSON.stringify({ services: [service], control: { socket: CONTROL } }))
}

/** A client that has got the greeting of its upstream. */
async function greeted(greeting: string): Promise<TLSSocket> {
  const client = connect({ port: 443, host: '127.0.0.1', rejectUnauthorized: false })
  assert.equal(String((await once(client, 'data'))[0]), greeting)
  return client
}

/** A reload takes place after `systemctl reload` has returned, because a signal asks for it. */
async function eventually(greeting: string): Promise<TLSSocket> {
  for (;;) {
    const client = connect({ port: 443, host: '127.0.0.1', rejectUnauthorized: false })
    if (String((await once(client, 'data'))[0]) === greeting) return client
    await end(client)
  }
}

async function answers(client: TLSSocket, text: string): Promise<void> {
  client.write(text)
  assert.equal(String((await once(client, 'data'))[0]), text)
}

async function end(client: TLSSocket): Promise<void> {
  client.end()
  await once(client, 'close')
}

function systemctl(...words: readonly string[]): number | null {
  return spawnSync('systemctl', words, { stdio: 'inherit' }).status
}

function shown(property: string): string {
  const { stdout } = spawnSync('systemctl', ['show', UNIT, `--property=${property}`, '--value'], {
    encoding: 'utf8',
  })
  return stdout.trim()
}
