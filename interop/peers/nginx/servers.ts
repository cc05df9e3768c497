// One configuration of nginx: servers that each listen at a place of their own, so that one process serves all cases.

import { join } from 'node:path'
import { provide, type Debian } from '../../debian.ts'
import { hostPort, type Place } from '../../servers.ts'
import type { Harness } from '../../harness.ts'

export const nginxProgram: Debian = {
  program: 'nginx',
  packages: ['nginx', 'libnginx-mod-stream'],
  version: ['-v'],
}

export class NginxServers {
  readonly harness: Harness
  readonly #stream: string[] = []
  readonly #http: string[] = []
  readonly #slots: (number | string)[] = []

  constructor(harness: Harness) {
    this.harness = harness
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

  /** Passes datagrams on, with a header in front of the first of each client; whether it listens shows in its answers. */
  async forwardDatagrams(port: number): Promise<number> {
    const front = await this.harness.port()
    const server = [`proxy_pass 127.0.0.1:${port}`, 'proxy_protocol on', 'proxy_timeout 60s']
    this.#stream.push(block([`listen 127.0.0.1:${front} udp`, ...server]))
    return front
  }

  forwardUnix(name: string, to: Place): string {
    const path = join(this.harness.folder, name)
    this.#slots.push(path)
    this.#stream.push(block([`listen unix:${path}`, `proxy_pass ${textOf(to)}`, 'proxy_protocol on']))
    return path
  }

  /** Takes headers, and answers with what it knows of the client. */
  async answer(module: 'http' | 'stream', listen = '', lines: readonly string[] = []): Promise<number> {
    const port = await this.#port()
    const answer =
      module === 'http'
        ? 'location / { default_type text/plain; return 200 "$remote_addr $remote_port $proxy_protocol_server_addr $proxy_protocol_server_port"; } location /missing { return 404; }'
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
    const { folder } = this.harness
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
    const file = this.harness.file('nginx.conf', `${lines.join('\n')}\n`)
    await this.harness.start(program, ['-p', folder, '-e', 'stderr', '-c', file], this.#slots)
  }

  async #port(): Promise<number> {
    const port = await this.harness.port()
    this.#slots.push(port)
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
