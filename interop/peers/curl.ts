// curl: `--haproxy-protocol` sends version 1 with its own two ends, before TLS where there is any.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { certificateFiles } from '../certificates.ts'
import { provide, type Debian, type Program } from '../debian.ts'
import type { Case, Peer } from '../peer.ts'
import { describe } from '../sending.ts'
import type { Seen } from '../seen.ts'
import { startServer, type OurServer } from '../servers.ts'
import type { Harness } from '../harness.ts'

export const curlProgram: Debian = { program: 'curl', packages: ['curl'], version: ['--version'] }

export const curl: Peer = {
  name: 'curl',
  always: true,
  programs: [curlProgram],
  async cases(harness) {
    const program = provide(curlProgram)
    const cases: Case[] = []
    for (const kind of ['http', 'https', 'h2c', 'h2'] as const) {
      cases.push(requesting({ program, harness }, await startServer(harness, kind), 'INET'))
    }
    cases.push(requesting({ program, harness }, await startServer(harness, 'http', { host: '::1' }), 'INET6'))
    cases.push(
      unix(
        { program, harness },
        await startServer(harness, 'http', { path: join(harness.folder, 'ours.sock') }),
      ),
    )
    cases.push(twice({ program, harness }, await startServer(harness, 'http')))
    return cases
  },
}

export interface Curl {
  readonly program: Program
  readonly harness: Harness
}

/** Runs curl; resolves with what it writes, one answer a line. */
export async function run({ program, harness }: Curl, args: readonly string[]): Promise<string> {
  const { cert } = certificateFiles(harness)
  const always = [
    '--silent',
    '--show-error',
    '--max-time',
    '10',
    '--noproxy',
    '*',
    '--cacert',
    cert,
    '--haproxy-protocol',
  ]
  const child = spawn(program.path, ['--disable', ...always, ...args], {
    env: { ...process.env, ...program.environment },
  })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`curl ${args.join(' ')} ended with ${String(code)}: ${errors}`)
  return output
}

/** What curl itself knows of its ends comes behind the answer. */
const ENDS = '%{local_ip} %{local_port} %{remote_ip} %{remote_port}'

function requesting(curl: Curl, { kind, place }: OurServer, family: string): Case {
  const { host, port } = place as { host: string; port: number } // it listens at one
  const scheme = kind === 'https' || kind === 'h2' ? 'https' : 'http'
  const name = scheme === 'https' ? 'localhost' : host
  const protocol = kind === 'h2' ? ['--http2'] : kind === 'h2c' ? ['--http2-prior-knowledge'] : []
  const url = `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}/`
  const ipv4 = family === 'INET' ? ['--ipv4', '--interface', '127.0.0.9'] : []
  return {
    direction: 'sends',
    name: `--haproxy-protocol ${scheme}, ${family === 'INET' ? 'IPv4' : 'IPv6'}, to ${kind}`,
    run: async () => {
      const [answer = '', ends] = (await run(curl, [...protocol, ...ipv4, '--write-out', ENDS, url])).split(
        '\n',
      )
      const seen = JSON.parse(answer) as Seen // our server wrote it
      assert.equal(`${String(seen.source)} ${String(seen.destination)}`, ends)
      assert.deepEqual(
        [seen.version, seen.command, seen.family, seen.remote],
        [1, 'PROXY', family, seen.source],
      )
      return describe(seen)
    },
  }
}

/** A UNIX socket has no ends that version 1 could tell: UNKNOWN. */
function unix(curl: Curl, { kind, place }: OurServer): Case {
  const { path } = place as { path: string } // it listens at one
  return {
    direction: 'sends',
    name: `--haproxy-protocol over a UNIX socket to ${kind}`,
    run: async () => {
      const seen = JSON.parse(await run(curl, ['--unix-socket', path, 'http://localhost/'])) as Seen // our server wrote it
      assert.deepEqual(
        [seen.version, seen.command, seen.family, seen.remote],
        [1, 'PROXY', 'UNSPEC', undefined],
      )
      return describe(seen)
    },
  }
}

/** The header stands once, before the first request. */
function twice(curl: Curl, { kind, place, accepted }: OurServer): Case {
  const { host, port } = place as { host: string; port: number } // it listens at one
  const url = `http://${host}:${port}/`
  return {
    direction: 'sends',
    name: `--haproxy-protocol, two requests on one connection, to ${kind}`,
    run: async () => {
      const answers = (await run(curl, [url, url])).trim().split('\n')
      assert.equal(accepted(), 1)
      const [first, second] = answers.map(answer => JSON.parse(answer) as Seen) // our server wrote them
      assert.ok(first && second)
      assert.equal(second.source, first.source)
      return describe(second)
    },
  }
}
