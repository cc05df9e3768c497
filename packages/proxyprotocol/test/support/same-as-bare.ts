// Compares a server behind a header with the bare one, in a process that a stream may end.

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Told } from './same-process.ts'

/** The servers that are compared. */
export const comparedKinds = [
  'http',
  'net to http',
  'tls',
  'h2c',
  'net to h2c',
  'createServer() to h2c',
] as const

/** What a process has found, and where it ended if a stream has ended it. */
interface Run {
  readonly found: readonly string[]
  readonly last: Told | undefined
  readonly ending: unknown
}

/**
 * Streams that end the bare server's process are left out: the HTTP/2 of Node 20 has an assertion that some of them meet.
 *
 * @returns what is not the same; empty if all is well.
 */
export async function differences(kind: string, seeds: { first: number; count: number }): Promise<string[]> {
  const found: string[] = []
  const end = seeds.first + seeds.count
  for (let first = seeds.first; first < end;) {
    const run = await compare(kind, first, end - first)
    found.push(...run.found)
    if (run.ending === 0) return found
    const { seed = end, to } = run.last ?? {}
    if (to !== 'bare') found.push(`seed ${seed}: the process has ended with ${String(run.ending)}`)
    first = seed + 1
  }
  return found
}

async function compare(kind: string, first: number, count: number): Promise<Run> {
  const found: string[] = []
  let last: Told | undefined
  const script = fileURLToPath(new URL('same-process.ts', import.meta.url))
  const child = fork(script, [kind, String(first), String(count)], { execArgv: ['--import', 'tsx'] })
  child.on('message', (told: Told) => {
    const { seed, difference } = (last = told)
    if (difference) found.push(`seed ${seed}:\n${difference[0]}\n-- behind a header --\n${difference[1]}`)
  })
  const ending = await new Promise(resolve => child.once('exit', (code, signal) => resolve(signal ?? code)))
  return { found, last, ending }
}
