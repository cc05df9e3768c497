// A program run inside the test: what it writes, line by line, and the signals it gets from the test alone.

import { EventEmitter, once } from 'node:events'
import type { TestContext } from 'node:test'
import { Log } from '../../src/log/log.ts'
import type { ProgramIo } from '../../src/cli/program.ts'
import { warnings } from './connections.ts'
import { atEnd } from './teardown.ts'

type Program = (args: readonly string[], io: ProgramIo) => Promise<number>

export interface FakeIo extends ProgramIo {
  /** What went to standard output, one entry a call. */
  readonly written: readonly string[]
  /** What went to standard error. */
  readonly errors: readonly string[]
  /** The exit codes that the program asked for. */
  readonly exits: readonly number[]
  /** The n-th line that matches, as soon as it is there. */
  line(pattern: RegExp, n?: number): Promise<string>
  /** How many listen to the signal. */
  send(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): boolean
}

export function fakeIo(env: ProgramIo['env'] = {}): FakeIo {
  const written: string[] = []
  const errors: string[] = []
  const exits: number[] = []
  const signals = new EventEmitter()
  const news = new EventEmitter()
  const out = (text: string): void => {
    written.push(text)
    news.emit('line')
  }
  const log = new Log(out)
  return {
    log,
    out,
    env,
    written,
    errors,
    exits,
    error: text => errors.push(text),
    on: (signal, listener) => signals.on(signal, listener),
    off: (signal, listener) => signals.off(signal, listener),
    exit: code => exits.push(code),
    send: signal => signals.emit(signal),
    line: async (pattern, n = 0) => {
      for (;;) {
        const line = written.filter(text => pattern.test(text))[n]
        if (line !== undefined) return line
        await once(news, 'line')
      }
    },
  }
}

export interface Running {
  readonly io: FakeIo
  /** Where it listens: one for each service. */
  readonly ports: readonly number[]
  /** What the process has warned of; the test fails at its end unless it was taken out. */
  readonly warnings: Error[]
  /** Ends it as SIGTERM does; resolves with its exit code. */
  stop(): Promise<number>
}

export interface StartOptions {
  readonly env?: ProgramIo['env']
  /** How many addresses it listens at; by default as many as there are services among the arguments. */
  readonly listeners?: number
}

/** A line about listening, in text or in JSON. */
const listening = /(?: listening address=|"event":"listening"|"address":")\S*?:(\d+)[ "]/

/** Starts a program and waits until it listens; at the test's end it is stopped. */
export async function start(
  t: TestContext,
  program: Program,
  args: readonly string[],
  { env, listeners = Math.max(1, args.filter(arg => arg === '--service').length) }: StartOptions = {},
): Promise<Running> {
  const io = fakeIo(env)
  const seen = warnings(t)
  const ended = program(args, io)
  let stopped = false
  const stop = (): Promise<number> => {
    if (!stopped) io.send('SIGTERM')
    stopped = true
    return ended
  }
  const first = await Promise.race([io.line(listening, listeners - 1), ended])
  if (typeof first === 'number') throw new Error(`it ended with ${first}: ${io.errors.join('')}`)
  atEnd(t, stop)
  const ports = io.written.flatMap(line => listening.exec(line)?.[1] ?? []).map(Number)
  return { io, ports, warnings: seen, stop }
}
