// A server under test as the parent sees it: a process of its own, kept to the first CPU where the system can do that;
// the load stays on the second.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import type { Contender } from './contender.ts'
import type { Plan } from './measure.ts'
import type { ServerMessage } from './server.ts'

const SERVER = fileURLToPath(new URL('server.ts', import.meta.url))
const SERVER_CPU = '0'
const LOAD_CPU = '1'

/** Keeps this process, all of its threads, to the CPU of the load; false where that cannot be done. */
export function pinLoad(): boolean {
  return spawnSync('taskset', ['-a', '-p', '-c', LOAD_CPU, String(process.pid)]).status === 0
}

/** A running server. */
export class Subject {
  readonly contender: Contender
  readonly port: number
  readonly #process: ChildProcess

  private constructor(contender: Contender, child: ChildProcess, port: number) {
    this.contender = contender
    this.port = port
    this.#process = child
  }

  static async start(contender: Contender, on: Pick<Plan, 'node' | 'pinned'>): Promise<Subject> {
    const { server, load, header } = contender
    const node = [on.node, '--import', 'tsx', SERVER, server, load, header]
    const [command = '', ...args] = on.pinned ? ['taskset', '-c', SERVER_CPU, ...node] : node
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const message = await messageOf(child)
    if (!('port' in message)) throw new Error(`the ${server} server did not tell its port`)
    return new Subject(contender, child, message.port)
  }

  /** CPU time of its whole process so far, in microseconds. */
  async cpuMicroseconds(): Promise<number> {
    const answer = messageOf(this.#process)
    this.#process.send('cpu')
    const message = await answer
    if (!('cpuMicroseconds' in message)) throw new Error('the server did not tell its CPU time')
    return message.cpuMicroseconds
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (!this.#process.connected) return
    const exit = once(this.#process, 'exit')
    this.#process.disconnect()
    await exit
  }
}

async function messageOf(child: ChildProcess): Promise<ServerMessage> {
  const settled = new AbortController()
  try {
    const events: Promise<unknown[]>[] = ['message', 'exit'].map(event => once(child, event, settled))
    const [message] = await Promise.race(events)
    if (typeof message === 'object' && message !== null) return message as ServerMessage // it sends nothing else
    throw new Error(`the server under test has ended with ${String(message)}`)
  } finally {
    settled.abort()
  }
}
