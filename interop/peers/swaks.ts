// swaks: a mail client for tests that plays a proxy. Two of its version 2 headers are malformed, and must be refused: LOCAL
// has the command 2, and a UNIX header brings IPv4 addresses.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'proxyprotocol/server'
import { provide, type Debian } from '../debian.ts'
import type { Case, Peer } from '../peer.ts'
import { describe } from '../sending.ts'
import { accept, serve, type Served } from '../servers.ts'
import type { Harness } from '../harness.ts'

const program: Debian = { program: 'swaks', packages: ['swaks'], version: ['--version'] }

const four = { source: '192.0.2.1', dest: '198.51.100.7' }
const six = { source: '2001:db8::1', dest: '2001:db8:ffff::7' }

export const swaks: Peer = {
  name: 'swaks',
  programs: [program],
  async cases(harness) {
    const good = [
      { version: '1', family: 'TCP4', ...four },
      { version: '1', family: 'TCP6', ...six },
      { version: '2', family: 'AF_INET', ...four },
      { version: '2', family: 'AF_INET6', ...six },
    ]
    const bad = [
      { version: '2', family: 'AF_INET', command: 'LOCAL', ...four },
      { version: '2', family: 'AF_UNIX', ...four },
    ]
    return [
      ...(await Promise.all(good.map(header => accepted(harness, header)))),
      ...(await Promise.all(bad.map(header => refused(harness, header)))),
    ]
  },
}

interface Options extends Readonly<Record<string, string>> {
  readonly version: string
  readonly family: string
  readonly source: string
  readonly dest: string
}

/** A mail server of few words: it speaks first. */
function mailServer(harness: Harness): Promise<Served> {
  return serve(harness, log =>
    createServer(accept, async ({ socket, info }) => {
      log.record(info.header, { socket })
      socket.write('220 ours ESMTP\r\n')
      await once(socket, 'data')
      socket.write('221 bye\r\n')
    }),
  )
}

async function run(server: Served, header: Options): Promise<number | null> {
  const { port } = server.place as { port: number } // it listens at one
  const { path, environment } = provide(program)
  const options = Object.entries({ ...header, 'source-port': '56324', 'dest-port': '25' })
  const args = ['--server', '127.0.0.1', '--port', String(port), '--quit-after', 'BANNER', '--timeout', '5s']
  const child = spawn(path, [...args, ...options.flatMap(([name, value]) => [`--proxy-${name}`, value])], {
    env: { ...process.env, ...environment },
    stdio: 'ignore',
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return code
}

function nameOf({ version, family, command = '' }: Options): string {
  return `--proxy-version ${version} --proxy-family ${family}${command && ` --proxy-command ${command}`}`
}

async function accepted(harness: Harness, header: Options): Promise<Case> {
  const server = await mailServer(harness)
  return {
    direction: 'sends',
    name: `${nameOf(header)} to createServer`,
    run: async () => {
      assert.equal(await run(server, header), 0)
      const [seen] = server.seen
      assert.ok(seen)
      const { version, source, destination, remote } = seen
      const expected = [Number(header.version), `${header.source} 56324`, `${header.dest} 25`, source]
      assert.deepEqual([version, source, destination, remote], expected)
      return describe(seen)
    },
  }
}

async function refused(harness: Harness, header: Options): Promise<Case> {
  const server = await mailServer(harness)
  return {
    direction: 'sends',
    name: `${nameOf(header)}, malformed, to createServer`,
    run: async () => {
      assert.notEqual(await run(server, header), 0)
      assert.deepEqual(server.seen, [])
      assert.equal(server.refused.length, 1)
      return `refused: ${server.refused.join()}`
    },
  }
}
