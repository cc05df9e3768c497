// Who takes part, and how each is started: one process, one thread, a header of version 2 where the proxy can send it.

import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { certificate } from 'test-support/certificates'
import { provide, type Debian, type Program } from '../../interop/debian.ts'
import { haproxyProgram } from '../../interop/peers/haproxy/sections.ts'
import { nginxProgram } from '../../interop/peers/nginx/servers.ts'
import { cache, keep } from './cache.ts'

export interface Ports {
  readonly port: number
  /** Where it ends TLS. */
  readonly tlsPort: number
  readonly upstream: number
}

/** How a proxy is started. */
export interface Contender {
  readonly name: string
  /** The header that its upstream must get. */
  readonly sends: 'v1' | 'v2'
  readonly environment: Readonly<Record<string, string>>
  /** Whether its log is on standard error, to be thrown away with all that is said there. */
  readonly logsErrors?: true
  /** Whether it changes bytes that come with TLS, so that there is nothing to measure. */
  readonly corruptsTls?: true
  /** Whether short connections are all that it can do. */
  readonly isBare?: true
  command(ports: Ports): readonly [string, ...string[]]
}

/** The one that all ratios are of. */
export const SUBJECT = 'relay'

/** Above what any load needs; each takes two files. */
const MOST_CONNECTIONS = 9_500

const PIPE_PROXY = fileURLToPath(new URL('pipe-proxy.js', import.meta.url))
const BARE_PROXY = fileURLToPath(new URL('bare-proxy.js', import.meta.url))
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const cert = keep('cert.pem', [certificate.cert])
const key = keep('key.pem', [certificate.key])

/**
 * @param node the binary that runs what is written for Node.
 * @param others other checkouts of this repository, built, to compare with.
 */
export function contenders(node: string, others: readonly string[]): readonly Contender[] {
  const found = [haproxy(), nginx(), pipe(node), bare(node), python()].filter(each => each !== undefined)
  const checkouts = [[SUBJECT, REPOSITORY] as const, ...others.map(folder => [folder, folder] as const)]
  const relays = checkouts.map(([name, folder]) => ours(name, { node, folder }))
  const onHandles = {
    ...ours('relay on handles', { node, folder: REPOSITORY }),
    environment: { PROXYPROTOCOL_DATA_PLANE: 'auto' },
  }
  return [...relays, onHandles, ...found]
}

function ours(name: string, { node, folder }: { readonly node: string; readonly folder: string }): Contender {
  return {
    name,
    sends: 'v2',
    environment: {},
    command: ({ port, tlsPort, upstream }) => [
      node,
      join(folder, 'packages/proxyprotocol-server/bin/proxyprotocol-server.js'),
      ...['--service', `127.0.0.1:${port}`, `127.0.0.1:${upstream}`],
      ...['--service', tlsSource(tlsPort), `127.0.0.1:${upstream}`],
      ...['--max-connections', String(MOST_CONNECTIONS)],
    ],
  }
}

function tlsSource(port: number): string {
  const files = new URLSearchParams({ cert, key })
  return `ssl://127.0.0.1:${port}?${files.toString()}`
}

function pipe(node: string): Contender {
  return {
    name: 'pipe()',
    sends: 'v2',
    environment: {},
    command: ({ port, tlsPort, upstream }) => [
      node,
      PIPE_PROXY,
      ...[port, tlsPort, upstream].map(String),
      ...[cert, key],
    ],
  }
}

function bare(node: string): Contender {
  return {
    name: 'bare sockets',
    sends: 'v2',
    environment: {},
    isBare: true,
    command: ({ port, upstream }) => [node, BARE_PROXY, String(port), String(upstream)],
  }
}

/** The server of the Python library icgood/proxy-protocol, where python3 has it. Its program has the name of ours. */
function python(): Contender | undefined {
  const program = ['python3', '-m', 'proxyprotocol.server.main'] as const
  if (spawnSync(program[0], [...program.slice(1), '--help']).status !== 0) {
    console.error('\n*** Python is LEFT OUT: python3 has no proxyprotocol, pip install proxy-protocol ***\n')
    return undefined
  }
  return {
    name: 'Python',
    sends: 'v2',
    environment: {},
    logsErrors: true,
    corruptsTls: true, // 0.11.3 on Python 3.11, whenever several records are read at once
    command: ({ port, tlsPort, upstream }) => [
      ...program,
      ...['--service', `127.0.0.1:${port}`, `127.0.0.1:${upstream}`],
      ...['--service', tlsSource(tlsPort), `127.0.0.1:${upstream}`],
    ],
  }
}

/** Undefined, with a word on standard error, where it cannot be had. */
function found(debian: Debian): Program | undefined {
  try {
    return provide(debian)
  } catch (error) {
    console.error(`\n*** ${debian.program} is LEFT OUT: ${String(error)} ***\n`)
    return undefined
  }
}

function haproxy(): Contender | undefined {
  const program = found(haproxyProgram)
  if (program === undefined) return undefined
  const { path, environment } = program
  const pem = keep('both.pem', [certificate.cert, certificate.key])
  return {
    name: 'HAProxy',
    sends: 'v2',
    environment,
    command: ({ port, tlsPort, upstream }) => {
      const file = keep(`haproxy-${port}.cfg`, [
        'global',
        '  nbthread 1',
        `  maxconn ${MOST_CONNECTIONS}`,
        'defaults',
        '  mode tcp',
        '  timeout connect 5s',
        '  timeout client 600s',
        '  timeout server 600s',
        'listen relay',
        `  bind 127.0.0.1:${port}`,
        `  bind 127.0.0.1:${tlsPort} ssl crt ${pem}`,
        `  server backend 127.0.0.1:${upstream} send-proxy-v2`,
      ])
      return [path, '-q', '-db', '-f', file]
    },
  }
}

function nginx(): Contender | undefined {
  const program = found(nginxProgram)
  if (program === undefined) return undefined
  const { path, environment, root } = program
  return {
    name: 'nginx',
    sends: 'v1', // it knows no other
    environment,
    command: ({ port, tlsPort, upstream }) => {
      const folder = join(cache, `nginx-${port}`)
      mkdirSync(folder, { recursive: true })
      const file = keep(`nginx-${port}.conf`, [
        `load_module ${join(root, '/usr/lib/nginx/modules/ngx_stream_module.so')};`,
        'daemon off;',
        'master_process off;',
        `pid ${folder}/pid;`,
        'error_log /dev/null;',
        'events { worker_connections 20000; }',
        'stream {',
        '  log_format line "$remote_addr $status $bytes_sent $bytes_received $session_time";',
        '  access_log /dev/null line;',
        '  server {',
        `    listen 127.0.0.1:${port};`,
        `    listen 127.0.0.1:${tlsPort} ssl;`,
        `    ssl_certificate ${cert};`,
        `    ssl_certificate_key ${key};`,
        '    ssl_protocols TLSv1.3;',
        `    proxy_pass 127.0.0.1:${upstream};`,
        '    proxy_protocol on;',
        '  }',
        '}',
      ])
      return [path, '-p', folder, '-e', '/dev/null', '-c', file]
    },
  }
}
