// The implementations on the other side: each is started on loopback, takes a header, and answers by the client that it
// believes in.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { provide, type Debian, type Program } from '../../interop/debian.ts'
import { haproxyProgram } from '../../interop/peers/haproxy/sections.ts'
import { nginxProgram } from '../../interop/peers/nginx/servers.ts'

/** What is told apart: an implementation in one of its roles. */
export type PeerName = 'haproxy' | 'nginx http' | 'nginx stream' | 'go-proxyproto'

/** A peer that listens. */
export interface Peer {
  readonly name: PeerName
  readonly version: string
  readonly port: number
  /** What follows the header: an HTTP request, or nothing where the peer answers by itself. */
  readonly payload: Uint8Array
}

/** Peers, and how to end them. */
export interface Running {
  readonly peers: readonly Peer[]
  stop(): Promise<void>
}

const goProgram: Debian = {
  program: 'go',
  packages: ['golang-go', 'golang-github-pires-go-proxyproto-dev'],
  version: ['version'],
}
/** Where whatever is made here is kept. */
const cache = fileURLToPath(new URL('../../node_modules/.cache/differential', import.meta.url))

const REQUEST = Buffer.from('GET / HTTP/1.0\r\n\r\n')
const NOTHING = new Uint8Array(0)
/** Tries of 50 ms each until a peer listens. */
const TRIES = 200

/** Starts HAProxy and nginx, and with `full` a server with the Go library. */
export async function startPeers({ full }: { full: boolean }): Promise<Running> {
  mkdirSync(cache, { recursive: true })
  const started = [await startHaproxy(), await startNginx(), ...(full ? [await startGo()] : [])]
  const peers = started.flatMap(each => each.peers)
  await Promise.all(peers.map(({ port }) => listening(port)))
  const stop = async () => {
    await Promise.all(started.map(({ child }) => end(child)))
  }
  return { peers, stop }
}

interface Started {
  readonly child: ChildProcess
  readonly peers: readonly Peer[]
}

async function startHaproxy(): Promise<Started> {
  const program = provide(haproxyProgram)
  const [port] = await freePorts(1)
  const file = write('haproxy.cfg', [
    'global',
    '  nbthread 1',
    '  maxconn 2000',
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 5s',
    '  timeout server 5s',
    'frontend differential',
    `  bind 127.0.0.1:${port} accept-proxy`,
    '  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]"',
  ])
  const child = start(program, ['-q', '-db', '-f', file])
  return { child, peers: [{ name: 'haproxy', version: program.version, port, payload: REQUEST }] }
}

async function startNginx(): Promise<Started> {
  const program = provide(nginxProgram)
  const [http, stream] = await freePorts(2)
  const folder = join(cache, 'nginx')
  mkdirSync(folder, { recursive: true })
  const names = ['addr', 'port', 'server_addr', 'server_port'].map(name => `$proxy_protocol_${name}`)
  const file = write('nginx.conf', [
    `load_module ${join(program.root || '/', 'usr/lib/nginx/modules/ngx_stream_module.so')};`,
    'daemon off;',
    'master_process off;',
    `pid ${folder}/pid;`,
    'error_log /dev/null;',
    'events { worker_connections 2000; }',
    'http {',
    '  access_log off;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      name => `  ${name}_temp_path ${folder}/${name};`,
    ),
    `  server { listen 127.0.0.1:${http} proxy_protocol; location / { return 200 "${names.join(' ')}"; } }`,
    '}',
    `stream { server { listen 127.0.0.1:${stream} proxy_protocol; return "${names.join(' ')}"; } }`,
  ])
  const child = start(program, ['-p', folder, '-e', '/dev/null', '-c', file])
  const { version } = program
  return {
    child,
    peers: [
      { name: 'nginx http', version, port: http, payload: REQUEST },
      { name: 'nginx stream', version, port: stream, payload: NOTHING },
    ],
  }
}

async function startGo(): Promise<Started> {
  const go = provide(goProgram)
  const [port] = await freePorts(1)
  const path = join(cache, 'go-peer')
  const environment = {
    ...process.env,
    ...go.environment,
    GO111MODULE: 'off',
    GOPATH: join(go.root || '/', 'usr/share/gocode'),
    GOCACHE: join(cache, 'go-build'),
    GOFLAGS: '',
    CGO_ENABLED: '0',
  }
  const source = fileURLToPath(new URL('go-peer/main.go', import.meta.url))
  const { status, stderr } = spawnSync(go.path, ['build', '-o', path, source], {
    env: environment,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the server with the Go library cannot be built:\n${stderr}`)
  const child = start({ ...go, path }, [String(port)])
  return { child, peers: [{ name: 'go-proxyproto', version: '0.4.2', port, payload: REQUEST }] }
}

function start({ path, environment }: Program, words: readonly string[]): ChildProcess {
  return spawn(path, words, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

function write(name: string, lines: readonly string[]): string {
  const file = join(cache, name)
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

/** Ports that were free a moment ago; all are held until all are known, so they differ. */
async function freePorts(count: 1): Promise<[number]>
async function freePorts(count: 2): Promise<[number, number]>
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const ports = servers.map(server => (server.address() as AddressInfo).port) // they listen at a port
  await Promise.all(servers.map(server => once(server.close(), 'close')))
  return ports
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const socket = connect(port, '127.0.0.1')
    const [event] = await Promise.race([
      once(socket, 'connect').then(() => ['connect']),
      once(socket, 'error').catch(() => ['error']),
    ]).catch(() => ['error'])
    socket.destroy()
    if (event === 'connect') return
    await setTimeout(50)
  }
  throw new Error(`nothing listens at port ${port}`)
}
