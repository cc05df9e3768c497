// The image as `npm run image` builds it, and what its programs do under podman and under runc alone.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, connect } from 'node:net'
import { before, describe, test } from 'node:test'
import { archive, buildFromContext, buildImage, name, tools } from '../../scripts/image/build.js'
import { lacking } from '../../scripts/image/command.js'
import { podman } from '../../scripts/image/store.js'
import { underPodman, underRunc, type Engine } from './engines.ts'

const MAX_BYTES = 130e6

const skip = lacking({ ...tools, podman: 'podman', runc: 'runc' }) ?? false

describe('the image', { skip }, () => {
  let first: { id: string; bytes: number }
  before(() => {
    first = buildImage()
    podman('load', '--quiet', `--input=${archive}`)
  })

  test('is the same when it is built again', () => {
    assert.equal(buildFromContext().id, first.id)
  })

  test(`has at most ${MAX_BYTES / 1e6} MB`, () => {
    assert.ok(first.bytes <= MAX_BYTES, `${first.bytes} bytes`)
  })

  test('explains a header by its inspector', () => {
    const hardened = ['--rm', '--pull=never', '--network=none', '--read-only', '--cap-drop=all']
    const limits = ['--pids-limit=0', '--ulimit=nofile=4096:4096', '--ulimit=nproc=4096:4096']
    const header = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\\r\\n'
    const said = podman('run', ...hardened, ...limits, '--entrypoint=proxyprotocol-inspect', name, header)
    assert.match(said, /source address .* 192\.0\.2\.1/)
  })

  test('serves, answers health checks and drains under podman', async () => {
    const admin = `127.0.0.1:${await freePort()}`
    await serve(underPodman(name, admin))
  })

  test('serves, answers health checks and drains under runc', async () => {
    const engine = underRunc(name, `127.0.0.1:${await freePort()}`)
    try {
      await serve(engine)
    } finally {
      engine.close()
    }
  })
})

async function serve(engine: Engine): Promise<void> {
  const echo = await engine.start('proxyprotocol-echo', '127.0.0.1:0')
  const services = ['--service', '127.0.0.1:0', `127.0.0.1:${echo.port}`]
  const proxy = await engine.start('proxyprotocol-server', ...services)
  const client = connect(proxy.port, '127.0.0.1')
  client.write('before')
  assert.equal(String(await once(client, 'data')), 'before')

  const status = proxy.status()
  assert.match(status, /^NSpid:\s+\d+\s+1$/m) // the program is process 1, without a shell above it
  assert.match(status, /^Uid:\s+65532\s+65532/m)
  assert.match(status, /^CapBnd:\s+0+$/m)
  assert.match(status, /^NoNewPrivs:\s+1$/m)
  assert.equal(proxy.health(), 0)

  proxy.stop()
  while (proxy.health() === 0) assert.equal(client.destroyed, false)
  client.write('after')
  assert.equal(String(await once(client, 'data')), 'after')
  client.end()
  assert.equal(await proxy.ended, 0)
  echo.stop()
  assert.equal(await echo.ended, 0)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}
