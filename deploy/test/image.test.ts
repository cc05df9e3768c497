// The image as `npm run image` builds it, and what its programs do under podman and under runc alone.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { manifestsOf, RELEASE, render } from '../../scripts/deploy/chart.js'
import { installTools } from '../../scripts/deploy/tools.js'
import { archive, buildFromContext, buildImage, name, tools } from '../../scripts/image/build.js'
import { lacking } from '../../scripts/image/command.js'
import { podman } from '../../scripts/image/store.js'
import { underPodman, underRunc, type Engine } from './engines.ts'

const MAX_BYTES = 130e6
const POD = `${RELEASE}-pod-0`
/** Kinds that podman has. */
const PLAYED = ['ConfigMap', 'Deployment']
/** Without a network podman takes no ports, and its probes need curl in the image. */
const NOT_PLAYED = ['ports', 'startupProbe', 'readinessProbe', 'livenessProbe']
/** A client in the pod that gets its bytes back. */
const ASK = `process.exitCode = 1
require('net').connect(10000).on('data', data => process.exit(String(data) === 'asked' ? 0 : 1)).write('asked')`
const MAX_TRIES = 100

const skip = lacking({ ...tools, podman: 'podman', runc: 'runc', catatonit: 'catatonit' }) ?? false

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
    const header = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\\r\\n'
    const said = podman('run', ...hardened, '--entrypoint=proxyprotocol-inspect', name, header)
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

  test("serves, answers health checks and drains in the chart's pod", play)
})

function play(): void {
  const folder = mkdtempSync(join(tmpdir(), 'pp-pod-'))
  try {
    podman('play', 'kube', '--network=none', writePod(folder))
    const echo = ['--detach', `--pod=${POD}`, '--pull=never', '--entrypoint=proxyprotocol-echo']
    podman('run', ...echo, name, '127.0.0.1:10007')
    succeedsInPod('proxyprotocol-server', 'health')
    succeedsInPod('/nodejs/bin/node', '-e', ASK)
    podman('stop', '--time=60', `${POD}-proxy`)
    assert.equal(podman('inspect', '--format={{.State.ExitCode}}', `${POD}-proxy`), '0')
  } finally {
    podman('pod', 'rm', '--force', '--ignore', POD)
    podman('volume', 'rm', '--force', RELEASE)
    rmSync(folder, { recursive: true })
  }
}

/** Tries again while the programs of the pod start. */
function succeedsInPod(...command: readonly string[]): void {
  for (let tries = 1; ; tries++) {
    try {
      podman('exec', `${POD}-proxy`, ...command)
      return
    } catch (error) {
      if (tries === MAX_TRIES) throw error
    }
  }
}

/** Writes the pod of the chart, and gives the file. */
function writePod(folder: string): string {
  installTools()
  const values = join(folder, 'values.json')
  const service = { name: 'web', listen: ':10000', upstream: '127.0.0.1:10007' }
  const image = { pullPolicy: 'Never' }
  writeFileSync(
    values,
    JSON.stringify({ image, replicas: 1, readyDelay: 1, config: { services: [service] } }),
  )
  const manifests = manifestsOf(render(['--values', values])).filter(({ kind }) => PLAYED.includes(kind))
  const texts = manifests.map(each =>
    JSON.stringify(each, (key, value: unknown) => (NOT_PLAYED.includes(key) ? undefined : value)),
  )
  const file = join(folder, 'pod.yaml')
  writeFileSync(file, texts.join('\n---\n'))
  return file
}

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
