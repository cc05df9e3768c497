// Which CPU runs what: a proxy has one alone, and everything at its ends shares the other.

import { spawnSync } from 'node:child_process'

export const PROXY_CPU = 0
export const LOAD_CPU = 1

/** Whether processes can be kept to a CPU here. */
export const canPin: boolean = spawnSync('taskset', ['-c', String(LOAD_CPU), 'true']).status === 0

/** A command line that is kept to one CPU, where that can be done. */
export function pinned(cpu: number, command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  return canPin ? ['taskset', '-c', String(cpu), ...command] : command
}

/** Keeps this process, all of its threads, to the CPU of the load. */
export function pinSelf(): void {
  if (canPin) spawnSync('taskset', ['-a', '-p', '-c', String(LOAD_CPU), String(process.pid)])
}
