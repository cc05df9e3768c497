// A proxy that runs, with what the system tells of its process.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

import { PROXY_CPU, pinned } from './cpus.ts'
import type { Peer } from './peer.ts'
import type { Contender, Ports } from './proxies.ts'

/** Milliseconds until it listens, and between two looks whether it does. */
const START_TIMEOUT = 10_000
const START_INTERVAL = 20

export class Proxy {
  readonly contender: Contender
  readonly port: number
  readonly tlsPort: number
  readonly #process: ChildProcess

  private constructor(contender: Contender, { port, tlsPort }: Ports, child: ChildProcess) {
    this.contender = contender
    this.port = port
    this.tlsPort = tlsPort
    this.#process = child
  }

  /** Starts it in front of a backend of its own. */
  static async start(contender: Contender, peer: Peer): Promise<Proxy> {
    const ports = { port: await freePort(), tlsPort: await freePort(), upstream: await peer.listen() }
    const [command, ...args] = pinned(PROXY_CPU, contender.command(ports))
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', contender.logsErrors ? 'ignore' : 'inherit'],
      env: { ...process.env, ...contender.environment },
    })
    const proxy = new Proxy(contender, ports, child)
    await proxy.#listening()
    return proxy
  }

  /** Seconds of CPU that all of its threads have had so far. */
  cpuSeconds(): number {
    const tasks = `/proc/${String(this.#process.pid)}/task`
    const nanoseconds = readdirSync(tasks).map(task =>
      Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
    )
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9
  }

  residentBytes(): number {
    const status = readFileSync(`/proc/${String(this.#process.pid)}/status`, 'utf8')
    return 1024 * Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1])
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exit = once(this.#process, 'exit')
    this.#process.kill('SIGKILL') // all it held were connections of ours, and they are over
    await exit
  }

  async #listening(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT
    const ports = this.contender.isBare ? [this.port] : [this.port, this.tlsPort]
    while (!ports.every(isListening)) {
      if (this.#process.exitCode !== null) throw new Error(`${this.contender.name} has ended`)
      if (performance.now() > deadline) throw new Error(`${this.contender.name} does not listen`)
      await pause(START_INTERVAL)
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // TCP
  server.close()
  await once(server, 'close')
  return port
}

/** Asked of the system, not by connecting: that would be a client that the load does not know. */
function isListening(port: number): boolean {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return readFileSync('/proc/net/tcp', 'utf8').includes(` ${address} 00000000:0000 0A `)
}
