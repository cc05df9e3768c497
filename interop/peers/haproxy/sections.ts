// One configuration of HAProxy: sections that each listen at a place of their own, so that one process serves all cases.

import { join } from 'node:path'
import { provide, type Debian } from '../../debian.ts'
import { hostPort, type Place } from '../../servers.ts'
import type { Harness } from '../../harness.ts'

export const haproxyProgram: Debian = { program: 'haproxy', packages: ['haproxy'], version: ['-v'] }

/** As the default for `unique-id` among the options of version 2. */
const UNIQUE_ID = 'id-%cp'
const HEAD = [
  'global',
  '  nbthread 1',
  '  ssl-default-bind-options ssl-min-ver TLSv1.2',
  'defaults',
  '  mode tcp',
  '  timeout connect 5s',
  '  timeout client 10s',
  '  timeout server 10s',
  `  unique-id-format ${UNIQUE_ID}`,
]

/** How a section listens. */
interface Front {
  readonly host?: string
  /** Further words of its `bind` line. */
  readonly bind?: string
  readonly lines?: readonly string[]
}

export class Sections {
  readonly harness: Harness
  readonly #lines: string[] = [...HEAD]
  readonly #slots: (number | string)[] = []

  constructor(harness: Harness) {
    this.harness = harness
  }

  /** Passes connections on; gives the port where it listens. */
  async forward(to: Place, options: string, front: Front = {}): Promise<number> {
    const { host = '127.0.0.1', bind = '', lines = [] } = front
    const port = await this.#port()
    this.add(port, [`bind ${textOf({ host, port })} ${bind}`, ...lines, `server s ${textOf(to)} ${options}`])
    return port
  }

  /** Passes on what comes at a UNIX socket; gives its path. */
  forwardUnix(name: string, to: Place, options: string): string {
    const path = join(this.harness.folder, name)
    this.#slots.push(path)
    this.add(name, [`bind unix@${path}`, `server s ${textOf(to)} ${options}`])
    return path
  }

  /** Takes headers, and answers HTTP requests with what it knows of the client; gives the port. */
  async answer(bind = '', format = '%[src] %[src_port] %[dst] %[dst_port]'): Promise<number> {
    const port = await this.#port()
    const answer = `http-request return status 200 content-type text/plain lf-string "${format}"`
    this.add(port, ['mode http', `bind 127.0.0.1:${port} accept-proxy ${bind}`, answer])
    return port
  }

  add(name: string | number, lines: readonly string[]): void {
    this.#lines.push(`listen ${name}`, ...lines.map(line => `  ${line}`))
  }

  async start(): Promise<void> {
    const program = provide(haproxyProgram)
    const file = this.harness.file('haproxy.cfg', `${this.#lines.join('\n')}\n`)
    await this.harness.start(program, ['-db', '-f', file], this.#slots)
  }

  async #port(): Promise<number> {
    const port = await this.harness.port()
    this.#slots.push(port)
    return port
  }
}

function textOf(place: Place): string {
  if ('path' in place) return `unix@${place.path}`
  return hostPort(place)
}
