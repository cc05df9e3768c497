// Runs the test files of all packages with node:test under tsx; Node 20's --test takes no globs, so they are listed here.
//
// npm test -- codec/v1 server                    files whose path holds one of the words
// npm test -- codec --test-name-pattern=CRC      what begins with a dash goes to node

import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { filesMatching, root } from './files.js'

/** Files at once. Socket tests mostly wait, so even one core gets two. */
const CONCURRENCY = Math.max(2, availableParallelism())

/** Milliseconds for one file: a hanging socket must not hang the gate, and the slowest takes a tenth where nothing else runs. */
const TIMEOUT = 240_000

const words = process.argv.slice(2)
const filters = words.filter(word => !word.startsWith('-')).map(word => word.replace(/^\.\//, ''))
const options = words.filter(word => word.startsWith('-'))

const { SOAK_SECONDS, CHROMIUM } = process.env

/** Proofs that need more than seconds are for `npm run test:soak`, tests that need a browser for `npm run test:pages`. */
const pattern = CHROMIUM
  ? /\.page\.test\.ts$/
  : SOAK_SECONDS
    ? /(?<!\.page)\.test\.ts$/
    : /(?<!\.page|\.soak)\.test\.ts$/

const files = filesMatching(/^packages\/[^/]+\/test\/.*\.ts$/).filter(
  file => pattern.test(file) && (filters.length === 0 || filters.some(filter => file.includes(filter))),
)

if (files.length === 0) {
  console.error(`No test file under packages/*/test matches ${filters.join(' or ')}.`)
  process.exitCode = 1
} else {
  const runner = [
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${TIMEOUT}`,
  ]
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', ...runner, ...options, ...files], {
    cwd: root,
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}
