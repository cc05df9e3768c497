// A program that runs to its end, and what it says on both outputs.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Program } from '../../debian.ts'

export interface Said {
  readonly code: number | null
  readonly text: string
}

/** @param input what it reads; then its input ends. */
export async function toEnd(
  { path, environment }: Pick<Program, 'path' | 'environment'>,
  args: readonly string[],
  input = '',
): Promise<Said> {
  const child = spawn(path, args, { env: { ...process.env, ...environment } })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
  child.stdin.on('error', () => undefined).end(input) // it may have ended before
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, text }
}
