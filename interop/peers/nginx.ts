// nginx: its stream module sends version 1, from TCP, TLS and UNIX listeners and on from another header; http and stream take
// both versions.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Ends } from '../asking.ts'
import { ca, certificateFiles } from '../certificates.ts'
import { provide, type Debian } from '../debian.ts'
import type { Case, Peer } from '../peer.ts'
import { receiving, type Target } from '../receiving.ts'
import { sending } from '../sending.ts'
import { hostPort, serverKinds, startServer, type Place } from '../servers.ts'
import type { Stage } from '../stage.ts'

export const nginxProgram: Debian = {
  program: 'nginx',
  packages: ['nginx', 'libnginx-mod-stream'],
  version: ['-v'],
}

export const nginx: Peer = {
  name: 'nginx',
  always: true,
  programs: [nginxProgram],
  async cases(stage) {
    const servers = new NginxServers(stage)
    const cases = [...(await senders(servers)), ...(await receivers(servers))]
    await servers.start()
    return cases
  },
}

/** One configuration: blocks that each listen at a place of their own, so that one process serves all cases. */
export class NginxServers {
  readonly stage: Stage
  readonly #stream: string[] = []
  readonly #http: string[] = []
  readonly #places: (number | string)[] = []

  constructor(stage: Stage) {
    this.stage = stage
  }

  /** Passes connections on, with a header in front. */
  async forward(
    to: Place,
    { host = '127.0.0.1', listen = '', lines = [] as readonly string[] } = {},
  ): Promise<number> {
    const port = await this.#port()
    const server = [`proxy_pass ${textOf(to)}`, 'proxy_protocol on', ...lines]
    this.#stream.push(block([`listen ${textOf({ host, port })} ${listen}`, ...server]))
    return port
  }

  forwardUnix(name: string, to: Place): string {
    const path = join(this.stage.folder, name)
    this.#places.push(path)
    this.#stream.push(block([`listen unix:${path}`, `proxy_pass ${textOf(to)}`, 'proxy_protocol on']))
    return path
  }

  /** Takes headers, and answers with what it knows of the client. */
  async answer(module: 'http' | 'stream', listen = '', lines: readonly string[] = []): Promise<number> {
    const port = await this.#port()
    const answer =
      module === 'http'
        ? 'location / { default_type text/plain; return 200 "$remote_addr $remote_port $proxy_protocol_server_addr $proxy_protocol_server_port"; }'
        : 'return "$remote_addr $remote_port $proxy_protocol_server_addr $proxy_protocol_server_port";'
    const believed = [
      'set_real_ip_from 127.0.0.0/8',
      ...(module === 'http' ? ['real_ip_header proxy_protocol'] : []),
    ]
    const server = block([`listen 127.0.0.1:${port} proxy_protocol ${listen}`, ...believed, ...lines], answer)
    ;(module === 'http' ? this.#http : this.#stream).push(server)
    return port
  }

  async start(): Promise<void> {
    const program = provide(nginxProgram)
    const { folder } = this.stage
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const module = join(program.root, '/usr/lib/nginx/modules/ngx_stream_module.so')
    const lines = [
      `load_module ${module};`,
      'daemon off;',
      'master_process off;',
      `pid ${folder}/nginx.pid;`,
      'events { worker_connections 256; }',
      `stream { ${this.#stream.join('\n')} }`,
      `http { access_log off; ${temporary.map(name => `${name}_temp_path ${folder}/temp;`).join(' ')}`,
      `${this.#http.join('\n')} }`,
    ]
    const file = this.stage.file('nginx.conf', `${lines.join('\n')}\n`)
    await this.stage.start(program, ['-p', folder, '-e', 'stderr', '-c', file], this.#places)
  }

  async #port(): Promise<number> {
    const port = await this.stage.port()
    this.#places.push(port)
    return port
  }
}

function block(directives: readonly string[], last = ''): string {
  return `server {\n${directives.map(line => `  ${line};\n`).join('')}  ${last}\n}`
}

function textOf(place: Place): string {
  if ('path' in place) return `unix:${place.path}`
  return hostPort(place)
}

async function senders(servers: NginxServers): Promise<readonly Case[]> {
  const { stage } = servers
  const { cert, key } = certificateFiles(stage)
  const cases: Case[] = []
  for (const kind of serverKinds) {
    const { place } = await startServer(stage, kind)
    const way = { port: await servers.forward(place), localAddress: '127.0.0.9' }
    cases.push(sending({ name: 'stream', kind, way, expected: { version: 1, family: 'INET' } }))
  }
  const kind = 'createServer'
  const four = await startServer(stage, kind)
  const six = await startServer(stage, kind, { host: '::1' })
  const host = '::1'
  const way6 = { host, port: await servers.forward(six.place, { host }) }
  const secure = ['ssl_certificate ' + cert, 'ssl_certificate_key ' + key]
  const tls = { ca, servername: 'localhost' }
  const wayTls = { port: await servers.forward(four.place, { listen: 'ssl', lines: secure }), tls }
  const wayUnix = { path: servers.forwardUnix('front.sock', four.place) }
  const nobody = { family: 'UNSPEC', transport: 'UNSPEC', source: undefined, destination: undefined }
  return [
    ...cases,
    sending({ name: 'stream, IPv6', kind, way: way6, expected: { version: 1, family: 'INET6' } }),
    sending({ name: 'stream, from TLS', kind, way: wayTls, expected: { version: 1, family: 'INET' } }),
    sending({
      name: 'stream for a UNIX client',
      kind,
      way: wayUnix,
      expected: ({ seen: { remote } }) => ({ version: 1, ...nobody, remote }),
    }),
  ]
}

async function receivers(servers: NginxServers): Promise<readonly Case[]> {
  const { cert, key } = certificateFiles(servers.stage)
  const secure = ['ssl_certificate ' + cert, 'ssl_certificate_key ' + key]
  const check = (answer: string, { source, destination }: Ends): void => {
    assert.equal(answer, `${String(source)} ${String(destination)}`)
  }
  const targets: readonly Target[] = [
    { name: 'http', port: await servers.answer('http'), speak: 'http', check },
    { name: 'https', port: await servers.answer('http', 'ssl', secure), tls: true, speak: 'http', check },
    { name: 'stream', port: await servers.answer('stream'), speak: text, check },
    {
      name: 'stream with TLS',
      port: await servers.answer('stream', 'ssl', secure),
      tls: true,
      speak: text,
      check,
    },
  ]
  return targets.flatMap(target => receiving(target, servers.stage))
}
