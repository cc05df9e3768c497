// Who takes part, and how each is started: one process, in front of an echo server, or an echo server itself.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { provide, type Debian } from '../../interop/debian.ts'
import { nginxProgram } from '../../interop/peers/nginx/servers.ts'

export interface UdpContender {
  readonly name: string
  readonly environment: Readonly<Record<string, string>>
  /** The command that listens at a port, in front of another. */
  command(port: number, upstream: number): readonly [string, ...string[]]
}

/** A version 2 header of a client whose port is that of the flow (XXXX), for servers that read one. */
export const HEADER = '0d0a0d0a000d0a515549540a2112000cc0000201c6336407XXXX0035'

const cache = fileURLToPath(new URL('../../node_modules/.cache/bench-udp', import.meta.url))
const RELAY = source('../../packages/proxyprotocol-server/bin/proxyprotocol-server.js')
const go: Debian = { program: 'go', packages: ['golang-go'], version: ['version'] }
/** Above what a run needs. */
const FLOWS = 2_048

/** The C program at both ends. */
export const peer: string = compiled('peer.c')

/** Relays; the first is the subject, if the programs can relay UDP. */
export function relays(): readonly UdpContender[] {
  return [
    of('relay', (port, upstream) => [
      process.execPath,
      ...[RELAY, '--service', `udp://127.0.0.1:${port}`, `udp://127.0.0.1:${upstream}?pp=v2`],
    ]),
    of('raw Node', (port, upstream) => [process.execPath, source('bare-relay.js'), `${port}`, `${upstream}`]),
    ...optional('nginx', nginx),
    ...optional('Go', goRelay),
    of('C', (port, upstream) => [compiled('relay.c'), `${port}`, `${upstream}`]),
    of('C, recvmmsg', (port, upstream) => [compiled('relay.c'), `${port}`, `${upstream}`, 'batch']),
  ]
}

/** Servers that send each datagram back. */
export function echoes(): readonly UdpContender[] {
  return [
    of('attachDatagrams', port => [process.execPath, source('echo.js'), `${port}`, 'attached']),
    of('raw dgram', port => [process.execPath, source('echo.js'), `${port}`]),
  ]
}

function of(
  name: string,
  command: UdpContender['command'],
  environment: UdpContender['environment'] = {},
): UdpContender {
  return { name, command, environment }
}

function optional(name: string, make: () => UdpContender): readonly UdpContender[] {
  try {
    return [make()]
  } catch (error) {
    console.error(`*** ${name} is LEFT OUT: ${String(error)} ***`)
    return []
  }
}

/** It adds no header: it could do so in front of each client's first datagram only. */
function nginx(): UdpContender {
  const { path, root, environment } = provide(nginxProgram)
  const module = join(root, '/usr/lib/nginx/modules/ngx_stream_module.so')
  const command: UdpContender['command'] = (port, upstream) => {
    const file = join(cache, `nginx-${port}.conf`)
    const lines = [
      ...[`load_module ${module};`, 'daemon off;', 'master_process off;', `pid ${cache}/nginx.pid;`],
      `events { worker_connections ${2 * FLOWS}; }`,
      `stream { server { listen 127.0.0.1:${port} udp rcvbuf=4m; proxy_pass 127.0.0.1:${upstream}; } }`,
    ]
    writeFileSync(file, lines.join('\n'))
    return [path, '-p', cache, '-e', 'stderr', '-c', file]
  }
  return of('nginx', command, environment)
}

function goRelay(): UdpContender {
  const { path, environment } = provide(go)
  mkdirSync(cache, { recursive: true })
  const program = join(cache, 'go-relay')
  const env = { GO111MODULE: 'off', GOCACHE: join(cache, 'go'), CGO_ENABLED: '0', GOFLAGS: '' }
  const { status, stderr } = spawnSync(path, ['build', '-o', program, source('relay.go')], {
    env: { ...process.env, ...environment, ...env },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return of('Go', (port, upstream) => [program, `${port}`, `${upstream}`], { GOMAXPROCS: '1' })
}

function compiled(name: string): string {
  mkdirSync(cache, { recursive: true })
  const program = join(cache, name.replace(/\.c$/, ''))
  const { status, error } = spawnSync('cc', ['-O2', '-Wall', '-Wextra', '-o', program, source(name)])
  if (status !== 0) throw new Error(`cc cannot compile ${name}`, { cause: error })
  return program
}

function source(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}
