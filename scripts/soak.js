// Runs the proofs of test/soak at full length, one file at a time, so that each has the machine to itself.
//
// npm run test:soak                          all of them; the longest take ten minutes
// SOAK_SECONDS=60 npm run test:soak          those take a minute
// npm run test:soak -- steady sigterm        files whose name begins with one of the words

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { root } from './files.js'

/** Ten minutes, of which the first two are for the process to find its size. */
const { SOAK_SECONDS = '600' } = process.env
/** Seconds that a proof may take beyond that: twenty starts of a program, on a machine that is busy. */
const MARGIN = 300

const words = process.argv.slice(2)
const files = (words.length === 0 ? [''] : words).map(word =>
  word.startsWith('-') ? word : `test/soak/${word}`,
)
const timeout = (Number(SOAK_SECONDS) + MARGIN) * 1_000
const args = [...files, '--test-concurrency=1', `--test-timeout=${String(timeout)}`]

const { status } = spawnSync(process.execPath, [join('scripts', 'test.js'), ...args], {
  cwd: root,
  env: { ...process.env, SOAK_SECONDS },
  stdio: 'inherit',
})
process.exitCode = status ?? 1
