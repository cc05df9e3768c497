// Both far ends of the proxies, as this process sees them: a child that is told what to do in lines, and answers in JSON.

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

import { LOAD_CPU, pinned } from './cpus.ts'

/** What a command came to; which fields there are, the command says. */
export interface Answer {
  readonly port?: number
  readonly seconds?: number
  /** Microseconds. */
  readonly p50?: number
  /** Microseconds. */
  readonly p99?: number
  /** Seconds for setting up connections beside bulk flows. */
  readonly setup?: number
  /** Bytes that the backend has sent. */
  readonly sent?: number
  /** Connections with a header of version 1, of version 2, and without. */
  readonly v1: number
  readonly v2: number
  readonly bare: number
  /** Sessions that proxies have sent to TLS clients, for resuming. */
  readonly tickets: number
  readonly faults: number
  readonly fault: string
}

export class Peer {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string, undefined>

  constructor(program: string) {
    const [command, ...args] = pinned(LOAD_CPU, [program])
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface(this.#process.stdout)
    this.#answers = this.#lines[Symbol.asyncIterator]() as AsyncIterator<string, undefined> // it returns nothing
  }

  /**
   * @throws Error when a byte or a reply was wrong or missing: whatever did that is not fast.
   */
  async do(command: string): Promise<Answer> {
    this.#process.stdin.write(`${command}\n`)
    const { done, value } = await this.#answers.next()
    if (done) throw new Error(`the load ended at "${command}"`)
    const answer = JSON.parse(value) as Answer // our own program's
    if (answer.faults > 0) throw new Error(`"${command}": ${answer.fault}, ${answer.faults} faults in all`)
    return answer
  }

  /** A backend of its own for a proxy. */
  async listen(): Promise<number> {
    const { port = -1 } = await this.do('listen')
    if (port < 0) throw new Error('the backend cannot listen')
    return port
  }

  end(): void {
    this.#process.stdin.end()
    this.#lines.close()
  }
}
