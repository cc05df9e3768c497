// Configurations of other proxies, translated or written by hand: each runs, and serves clients as the original does.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { runServer } from '../../../src/cli/index.ts'
import { clientHello } from '../../support/client-hello.ts'
import { configFile } from '../../support/config-file.ts'
import { chunk, dial, listen, outcome, type Listener } from '../../support/connections.ts'
import { fakeIo, start } from '../../support/program.ts'

const V2 = '0d0a0d0a000d0a515549540a'
const V1 = Buffer.from('PROXY ').toString('hex')
const HELLO = '16'
/** A fatal alert of TLS 1.2: 112. */
const UNRECOGNIZED_NAME = '15030300020270'
const PLAIN = Buffer.from('plain').toString('hex')

interface Services {
  readonly services: readonly { listen: string }[]
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`configs/${name}`, import.meta.url))
}

async function textOf(name: string): Promise<string> {
  if (name.endsWith('.yaml')) return readFileSync(pathOf(name), 'utf8')
  const io = fakeIo()
  assert.equal(await runServer(['import', pathOf(name)], io), 1)
  return io.written.join('')
}

/** Listens at free ports in place of its own, connects to others in place of its upstreams, and checks late. */
async function running(
  t: TestContext,
  name: string,
  upstreams: Readonly<Record<string, string>>,
): Promise<readonly number[]> {
  const text = Object.entries(upstreams).reduce(
    (before, [original, here]) => before.replaceAll(original, here),
    (await textOf(name)).replace(/interval: \ds/g, 'interval: 1h'),
  )
  const { services } = parse(text) as Services // of the fixtures
  const moved = services.map(({ listen: at, ...rest }) => ({
    ...rest,
    listen: `127.0.0.1:0${/\?.*$/.exec(at)?.[0] ?? ''}`,
  }))
  const file = configFile(t, stringify({ services: moved }), 'here.yaml')
  const { ports } = await start(t, runServer, ['--config', file], { listeners: moved.length })
  return ports
}

function at({ port }: Listener): string {
  return `127.0.0.1:${port}`
}

/** What the upstream gets first of a client that sends these bytes. */
async function reaches(
  t: TestContext,
  [port = 0, bytes = 'plain']: readonly [number | undefined, (string | Buffer)?],
  upstream: Listener,
): Promise<string> {
  dial(t, port).write(bytes)
  return (await chunk(await upstream.accept())).toString('hex')
}

async function assertStarts(seen: Promise<string>, start: string): Promise<void> {
  assert.equal((await seen).slice(0, start.length), start)
}

function helloTo(servername: string): Promise<Buffer> {
  return clientHello({ servername })
}

test('1: one server name goes to its server without a header, all else to the first server, then to a backup', async t => {
  const [mesh, lb, backup, http] = [await listen(t), await listen(t), await listen(t), await listen(t)]
  const [tls, plain] = await running(t, '1-sni-with-backups.haproxy.cfg', {
    '127.0.0.1:8443': at(mesh),
    '192.0.2.100:443': at(lb),
    '192.0.2.11:443': at(backup),
    '192.0.2.12:443': at(backup),
    '192.0.2.13:443': at(backup),
    'alpha.example.org:80': at(http),
    'beta.example.org:80': at(http),
    'gamma.example.org:80': at(http),
  })
  await assertStarts(reaches(t, [tls, await helloTo('mesh.example.org')], mesh), HELLO)
  await assertStarts(reaches(t, [tls, await helloTo('other.example.org')], lb), V2)
  await assertStarts(reaches(t, [tls], lb), V2)
  await assertStarts(reaches(t, [plain], http), PLAIN)
})

test('1: a backup serves while the first server is away', async t => {
  const backup = await listen(t)
  const [tls] = await running(t, '1-sni-with-backups.haproxy.cfg', {
    '192.0.2.100:443': 'unix:/nonexistent/lb.sock',
    '192.0.2.11:443': at(backup),
    '192.0.2.12:443': at(backup),
    '192.0.2.13:443': at(backup),
  })
  await assertStarts(reaches(t, [tls, await helloTo('other.example.org')], backup), V2)
})

test('2: three server names go to one server, all else to the first of two, with headers', async t => {
  const [web, tls, calls] = [await listen(t), await listen(t), await listen(t)]
  const [http, https] = await running(t, '2-edge-with-checks.haproxy.cfg', {
    '192.0.2.1:80?': `${at(web)}?`,
    '192.0.2.1:443?': `${at(tls)}?`,
    '127.0.0.1:8443': at(calls),
  })
  await assertStarts(reaches(t, [http], web), V2)
  await assertStarts(reaches(t, [https, await helloTo('relay.example.net')], calls), V2)
  await assertStarts(reaches(t, [https, await helloTo('www.example.org')], tls), V2)
})

test('3: a domain and all names below it go to one server, all else to another, with version 1 headers', async t => {
  const [site, other, port] = [await listen(t), await listen(t), await listen(t)]
  const [tls, first] = await running(t, '3-sni-map.nginx.conf', {
    '127.0.0.1:4443': at(site),
    '127.0.0.1:7443': at(other),
    '192.0.2.20:30000': at(port),
  })
  for (const name of ['example.org', 'a.b.example.org'])
    await assertStarts(reaches(t, [tls, await helloTo(name)], site), V1)
  await assertStarts(reaches(t, [tls, await helloTo('example.net')], other), V1)
  await assertStarts(reaches(t, [first], port), PLAIN)
})

test('4: three server names and no others are served, and mail gets version 2 headers', async t => {
  const front = await listen(t)
  const [web, smtp] = await running(t, '4-mail.yaml', { 'front:443': at(front), 'front:25': at(front) })
  await assertStarts(reaches(t, [web, await helloTo('mta-sts.example.com')], front), V2)
  await assertStarts(reaches(t, [smtp], front), V2)
  const client = dial(t, web ?? 0)
  client.write(await helloTo('example.com'))
  assert.equal((await chunk(client)).toString('hex'), UNRECOGNIZED_NAME)
  client.destroy()
})

test('5: server names go to UNIX sockets with headers, all else to a port without', async t => {
  const other = await listen(t)
  const paths = ['one.sock', 'two.sock'].map(name => configFile(t, '', name) + '.listen')
  const servers = paths.map(path => createServer().listen(path))
  t.after(() => servers.map(server => server.close()))
  const [port] = await running(t, '5-sni-to-unix.yaml', {
    '127.0.0.1:7443': at(other),
    '/run/one.sock': paths[0] ?? '',
    '/run/two.sock': paths[1] ?? '',
  })
  for (const [index, name] of ['one.example.net', 'two.example.net'].entries()) {
    const accepted = once(servers[index] ?? createServer(), 'connection') as Promise<[Socket]>
    dial(t, port ?? 0).write(await helloTo(name))
    const [socket] = await accepted
    assert.equal((await chunk(socket)).toString('hex', 0, 12), V2)
    socket.destroy()
  }
  await assertStarts(reaches(t, [port, await helloTo('three.example.net')], other), HELLO)
})

test('6: a header of a trusted load balancer is accepted, and its client is announced', async t => {
  const shell = await listen(t)
  const [port] = await running(t, '6-tcp-services.yaml', {
    'gitlab-shell.gitlab.svc.cluster.local:22': at(shell),
    '10.0.0.0/8': '127.0.0.1',
  })
  const seen = reaches(t, [port, 'PROXY TCP4 192.0.2.1 192.0.2.2 1 22\r\nSSH-2.0-x'], shell)
  assert.match(await seen, new RegExp(`^${V2}2111....c0000201c0000202`))
  const outsider = dial(t, port ?? 0)
  outsider.end('SSH-2.0-x')
  assert.equal((await outcome(outsider)).bytes.length, 0)
})
