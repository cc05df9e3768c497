// Programs of this folder, each in a process of its own that talks by messages.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { until } from 'test-support/sockets'
import type { Harness } from './harness.ts'

/** Runs a program of test/support, with its messages in order. */
export function run(harness: Harness, command: readonly string[], descriptor?: number): Program {
  const [program = '', ...args] = command
  const stdio = ['ignore', 'inherit', 'inherit', descriptor ?? 'ignore', 'ipc'] as const
  const child = spawn(program, args, { stdio: [...stdio] })
  const messages: unknown[] = []
  child.on('message', message => messages.push(message))
  const exited = once(child, 'exit')
  harness.defer(async () => {
    child.kill()
    await exited
  })
  const next = async (): Promise<unknown> => {
    await until(() => messages.length > 0 || child.exitCode !== null)
    return messages.shift()
  }
  return { child, next, exited }
}

export interface Program {
  readonly child: ChildProcess
  readonly next: () => Promise<unknown>
  readonly exited: Promise<unknown>
}

/** The path of a program of this folder. */
export function support(name: string): string {
  return new URL(`${name}.ts`, import.meta.url).pathname
}
