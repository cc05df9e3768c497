// promtool, run to its end. Whatever it complains of is a fault, warnings included.

import { spawnSync } from 'node:child_process'
import type { Program } from '../../debian.ts'

/** @throws Error with what it said, where it found a fault. */
export function run({ path, environment }: Program, args: readonly string[], input = ''): void {
  const { status, stdout, stderr } = spawnSync(path, args, {
    ...{ input, encoding: 'utf8', env: { ...process.env, ...environment } },
  })
  // `check metrics` says nothing where all is well, and some versions end with 0 after a warning.
  const complains = args[1] === 'metrics' && `${stdout}${stderr}`.trim() !== ''
  if (status !== 0 || complains) throw new Error(`promtool ${args.join(' ')}: ${stdout}${stderr}`)
}
