// npm start, as a newcomer runs it: both programs on loopback, two lines that say what to type, and nothing left after.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { content } from 'test-support/sockets'
import { pathOf, portIn, run, runCommand, type Child } from './support/child.ts'
import { chunk, dial, listen } from './support/connections.ts'

const script = 'scripts/start.js'

/** Both programs on ports of the system's choice, and the proxy's. */
async function startBoth(t: TestContext): Promise<{ child: Child; port: number }> {
  const child = run(t, script, ['0', '0'])
  await child.line(/Ctrl-C ends both/)
  return { child, port: portIn(await child.line(/^proxyprotocol-server \| .* listening /)) }
}

test('what is typed comes back, and the echo names the one who typed as the source', async t => {
  const { child, port } = await startBoth(t)
  const client = dial(t, port)
  await once(client, 'connect')
  const { localPort } = client
  client.end('hello')
  assert.equal((await content(client)).toString(), 'hello')
  const line = await child.line(/^proxyprotocol-echo \| .* connection /)
  assert.match(
    line,
    new RegExp(` source=127\\.0\\.0\\.1:${String(localPort)} destination=127\\.0\\.0\\.1:${port} version=2 `),
  )
  await child.line(/^proxyprotocol-server \| .* closed .* reason=done bytesUp=5 bytesDown=5 /)
  child.send('SIGTERM')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  assert.equal(child.isAlive(), false, 'a child was left')
})

test('it says in two lines what to type and what to look at', async t => {
  const { child, port } = await startBoth(t)
  const said = child
    .output()
    .split('\n')
    .filter(line => line !== '' && !line.includes(' | '))
  assert.equal(said.length, 2)
  assert.match(
    said[0] ?? '',
    new RegExp(`nc 127\\.0\\.0\\.1 ${port} .*curl telnet://127\\.0\\.0\\.1:${port}\\)`),
  )
  child.send('SIGTERM')
  assert.equal((await child.ended).code, 0)
})

test('SIGTERM lets an open connection finish in both programs', async t => {
  const { child, port } = await startBoth(t)
  const client = dial(t, port)
  client.write('early')
  assert.equal((await chunk(client)).toString(), 'early')
  child.send('SIGTERM')
  await child.line(/^proxyprotocol-server \| .* draining connections=1$/)
  await child.line(/^proxyprotocol-echo \| .* draining connections=1$/)
  client.end('late')
  assert.equal((await content(client)).toString(), 'late')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  assert.equal(child.isAlive(), false, 'a child was left')
})

test("a terminal's Ctrl-C, which reaches all of them, ends all of them", async t => {
  const { child } = await startBoth(t)
  child.send('SIGINT', 'group')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  assert.equal(child.isAlive(), false, 'a child was left')
})

test("a signal that npm's shell dies of ends all of them as well", async t => {
  const command = `'${process.execPath}' '${pathOf(script)}' 0 0; exit $?`
  const shell = runCommand(t, ['sh', '-c', command], { npm_lifecycle_event: 'start' })
  await shell.line(/Ctrl-C ends both/)
  shell.send('SIGTERM')
  assert.deepEqual(await shell.ended, { code: null, signal: 'SIGTERM', errors: '' })
  assert.match(shell.output(), /^proxyprotocol-server \| \S+ stopped /m)
  assert.match(shell.output(), /^proxyprotocol-echo \| \S+ stopped /m)
  // It has ended only when no process holds its standard error any more, which all of them share.
})

for (const [what, argsAt] of [
  ['proxy', (port: number) => [`${port}`, '0']],
  ['echo', (port: number) => ['0', `${port}`]],
] as const) {
  test(`the ${what}'s port in use ends it with 1, says how to take another, and leaves nothing behind`, async t => {
    const { port } = await listen(t)
    const child = run(t, script, argsAt(port))
    const { code, errors } = await child.ended
    assert.equal(code, 1)
    assert.match(
      errors,
      new RegExp(
        `^error: .*listen EADDRINUSE: address already in use 127\\.0\\.0\\.1:${port}\n` +
          'If a port is in use, give others: npm start -- PROXY_PORT ECHO_PORT, for example npm start -- 0 0 for free ones.\n$',
      ),
    )
    assert.equal(child.isAlive(), false, 'a child was left')
    assert.doesNotMatch(child.output(), /Ctrl-C/)
  })
}
