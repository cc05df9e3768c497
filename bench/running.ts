// A program under test: started with a configuration, its port, and the CPU time that it has used. Linux only.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

export interface Running {
  readonly server: ChildProcess
  readonly port: number
}

export interface Start {
  readonly node: string
  readonly program: string
  /** Where the configuration is written to. */
  readonly file: string
  readonly configuration: object
}

/** The port is that of the first service. */
export async function start({ node, program, file, configuration }: Start): Promise<Running> {
  writeFileSync(file, JSON.stringify({ ...configuration, log: { quiet: true } }))
  const server = spawn(node, [program, '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(server.stdout, 'data')) as [Buffer] // a pipe without an encoding
  return { server, port: Number(/address=\S*:(\d+)/.exec(String(line))?.[1]) }
}

/** Microseconds of all its threads. */
export function cpuOf({ pid }: ChildProcess): number {
  const tasks = `/proc/${String(pid)}/task`
  let nanoseconds = 0
  for (const task of readdirSync(tasks))
    nanoseconds += Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0])
  return nanoseconds / 1_000
}
