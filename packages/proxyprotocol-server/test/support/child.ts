// Programs as the user runs them: child processes, each in a group of its own, so that nothing they leave goes unseen.

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { atEnd } from './teardown.ts'

export interface Child {
  readonly pid: number
  /** What it has written to standard output so far. */
  readonly output: () => string
  /** The first line of standard output that matches, as soon as it is there. */
  line(pattern: RegExp): Promise<string>
  /** Resolves when what it has written makes the condition true. */
  until(condition: () => boolean): Promise<void>
  /** Sends a signal to the program alone, or as a terminal does to all that it has started. */
  send(signal: NodeJS.Signals, to?: 'program' | 'group'): void
  /** How it ended, and what it wrote to standard error. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; errors: string }>
  /** Reads no more of its standard output until `resume()`. */
  pause(): void
  resume(): void
  /** Stops reading its standard output, as a reader that ends does. */
  deafen(): void
  /** Whether it or anything that it has started is still there. */
  isAlive(): boolean
}

/** Starts a script of the repository; at the test's end nothing of it is left. */
export function run(t: TestContext, script: string, args: readonly string[]): Child {
  return runCommand(t, [process.execPath, pathOf(script), ...args])
}

/** Where a file of the repository is. */
export function pathOf(file: string): string {
  return fileURLToPath(new URL(`../../../../${file}`, import.meta.url))
}

/** Starts any command, with these variables on top of the test's own, and these descriptors as its own from 3 on. */
export function runCommand(
  t: TestContext,
  [command = '', ...args]: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  descriptors: readonly number[] = [],
): Child {
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
    env: { ...process.env, ...variables },
  }) as ChildProcessByStdio<null, Readable, Readable> // whatever more there is
  const errors = text(child.stderr)
  const news = new EventEmitter()
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    output += piece
    news.emit('output')
  })
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  void closed.then(() => news.emit('output'))
  const ended = closed.then(async ([code, signal]) => ({ code, signal, errors: await errors }))
  const send: Child['send'] = (signal, to = 'program') => {
    if (child.pid !== undefined) process.kill(to === 'group' ? -child.pid : child.pid, signal)
  }
  const isAlive = (): boolean => {
    try {
      send(0 as unknown as NodeJS.Signals, 'group') // signal 0 only asks
      return true
    } catch {
      return false
    }
  }
  atEnd(t, async () => {
    if (isAlive()) send('SIGKILL', 'group')
    await ended
  })
  const pause = (): void => void child.stdout.pause()
  const resume = (): void => void child.stdout.resume()
  const deafen = (): void => void child.stdout.destroy()
  const { pid = -1 } = child
  return { pid, output: () => output, line: lineOf, until, send, ended, pause, resume, deafen, isAlive }

  async function lineOf(pattern: RegExp): Promise<string> {
    let found: string | undefined
    await until(() => {
      found = output.split('\n').find(line => pattern.test(line))
      return found !== undefined
    }, pattern)
    return found ?? ''
  }

  async function until(condition: () => boolean, what: unknown = condition): Promise<void> {
    while (!condition()) {
      if (child.exitCode !== null) throw new Error(`it ended before it wrote ${String(what)}: ${output}`)
      await once(news, 'output')
    }
  }
}

/** The port in a line about listening. */
export function portIn(line: string): number {
  return Number(/ address=\S+:(\d+)/.exec(line)?.[1])
}
