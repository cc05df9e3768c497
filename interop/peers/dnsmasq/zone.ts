// A zone of one name, its members on addresses of the loopback, and a relay that asks for them.

import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { createRelay, parseService, type Relay, type ServiceOptions } from 'proxyprotocol-server'
import type { Program } from '../../debian.ts'
import { until, type Harness, type Running } from '../../harness.ts'

export const NAME = 'app.test'

/** Milliseconds between two look-ups of the relay. */
const INTERVAL = 50

/** A connection that a member has served. */
export interface Served {
  readonly member: string
  readonly milliseconds: number
}

export interface Scene {
  readonly relay: Relay
  /** The port of the members. */
  readonly port: number
  connect(source?: string): Promise<Served>
}

interface More {
  readonly services?: readonly string[]
  /** Names by their addresses. */
  readonly hosts?: Readonly<Record<string, string>>
}

export class Zone {
  readonly harness: Harness
  readonly #program: Program
  readonly #port: number
  #server: Running | undefined

  constructor(harness: Harness, program: Program, port: number) {
    this.harness = harness
    this.#program = program
    this.#port = port
  }

  /** Between two runs look-ups fail. */
  async answer(addresses: readonly string[], { services = [], hosts = {} }: More = {}): Promise<void> {
    await this.#server?.end()
    const lines = [...addresses.map(each => [each, NAME]), ...Object.entries(hosts)]
    const file = this.harness.file('hosts', lines.map(line => `${line.join(' ')}\n`).join(''))
    const args = [
      ...['--no-daemon', '--conf-file=/dev/null', '--pid-file=', '--user=', '--no-resolv', '--no-hosts'],
      ...[`--port=${this.#port}`, '--listen-address=127.0.0.1', '--bind-interfaces'],
      ...['--local=/test/', `--addn-hosts=${file}`],
      ...services.map(record => `--srv-host=${record}`),
    ]
    this.#server = await this.harness.start(this.#program, args, [this.#port])
  }

  /** Members at these addresses, behind a relay that asks for them by name, or by an address that is given. */
  async scene(addresses: readonly string[], options: ServiceOptions = {}, upstream?: string): Promise<Scene> {
    const port = await this.harness.port()
    for (const address of addresses) await this.listen(address, port)
    const { server } = this.resolver()
    const relay = createRelay(
      parseService('127.0.0.1:0', upstream ?? `${NAME}:${port}?pp=noop`, {
        resolve: { interval: INTERVAL },
        ...options,
      }),
      { resolver: async host => (await server.resolve4(host)).map(address => ({ address, family: 4 })) },
    )
    const bound = await relay.listen()
    this.harness.atEnd(() => relay.server.abort())
    assert.ok(typeof bound === 'object')
    return { relay, port, connect: source => served(bound.port, source) }
  }

  /** Answers each connection with its own address. */
  async listen(address: string, port: number): Promise<void> {
    const server = createServer(socket => socket.on('error', () => undefined).end(`${address}:${port}`))
    server.listen(port, address)
    await once(server, 'listening')
    this.harness.atEnd(() => server.close())
  }

  resolver(): { readonly server: dns.promises.Resolver } {
    const server = new dns.promises.Resolver({ timeout: 500, tries: 1 })
    server.setServers([`127.0.0.1:${this.#port}`])
    return { server }
  }
}

/** Two answers later the relay knows what the zone has now. */
export async function followed({ relay }: Scene): Promise<void> {
  const answers = (): number => relay.upstreams().names[0]?.answers ?? 0
  const before = answers()
  await until(() => answers() > before + 1 || undefined, 'two answers')
}

/** Every connection that is over is `done`. */
export function assertNoFailure({ relay }: Scene): void {
  const { accepted, active, closed } = relay.totals()
  assert.equal(closed.done, accepted - active)
}

export function countsOf(all: readonly Served[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { member } of all) counts.set(member, (counts.get(member) ?? 0) + 1)
  return counts
}

export async function repeat(count: number, scene: Scene): Promise<readonly Served[]> {
  const all: Served[] = []
  for (let i = 0; i < count; i++) all.push(await scene.connect())
  return all
}

async function served(port: number, localAddress = '127.0.0.1'): Promise<Served> {
  const from = performance.now()
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  const member = await text(socket)
  assert.notEqual(member, '', 'a connection without a member')
  return { member: member.replace(/:\d+$/, ''), milliseconds: performance.now() - from }
}
