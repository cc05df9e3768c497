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
  const again = files.filter(runsTwice)
  const failed = [
    runAll(files, runner, {}),
    again.length > 0 && runAll(again, runner, { TEST_DATA_PLANE: 'sockets' }),
  ]
  process.exitCode = failed.includes(true) ? 1 : 0
}

/**
 * @param {string[]} tested
 * @param {string[]} runner
 * @param {Record<string, string>} env
 */
function runAll(tested, runner, env) {
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', ...runner, ...options, ...tested], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  return status !== 0
}

/**
 * The relay's tests run on handles, and again on sockets.
 *
 * @param {string} file
 */
function runsTwice(file) {
  return /\/test\/relay\/[^/]+\.test\.ts$/.test(file)
}
