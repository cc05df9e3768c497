// Mutation testing: changes the sources in one place at a time, and counts the changes that no test notices.
//
// npm run mutate                                       the codec, and the contract of a handler
// npm run mutate -- codec                              one of the two
// npm run mutate -- contract lifecycle/drain.ts        some of its files
//
// Reports stand in node_modules/.cache/mutation. Below 85 % of the changes noticed it ends with 1.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Stryker } from '@stryker-mutator/core'
import { filesMatching, root } from './files.js'

/** @typedef {import('@stryker-mutator/api/core').MutantResult} MutantResult */
/** @typedef {{ sources: RegExp, tests: readonly RegExp[] }} Part */

/** Percent. */
const WANTED = 85
const folder = 'node_modules/.cache/mutation'

/**
 * Sources, and the tests that are to notice, quick ones first. Properties and every cut of every vector are left out:
 * they would take seconds for each change that goes unnoticed, and their examples are in the other tests too.
 *
 * @type {Record<string, Part>}
 */
const parts = {
  codec: {
    sources: /\/src\/codec\/(?!index)/,
    tests: [/\/test\/vectors\/vector-files/, /\/test\/codec\/(?!(?:properties|vectors|v2\/decode)\.)/],
  },
  contract: {
    sources:
      /\/src\/server\/lifecycle\/(accepted-connection|close-reason|connection|connection-tally|drain|idle-watch|proxy-server|report)\.ts$/,
    tests: [
      /\/test\/server\/lifecycle\/(handler-start|handler-faults|close|signal|stuck|timers|idle|half-close|limits|server-options|listen)\.test/,
      /\/test\/server\/header\/payload\.test/,
      /\/test\/server\/(lifecycle\/(diagnostics|hand-over|unix|tls|tls-handshake)|socket\/socket-faults)\.test/,
    ],
  },
}

const [first = '', ...rest] = process.argv.slice(2)
const words = first in parts ? rest : [first, ...rest].filter(word => word !== '')
const chosen = Object.entries(parts).filter(([name]) => first === name || !(first in parts))
mkdirSync(join(root, folder), { recursive: true })
for (const [name, part] of chosen) await mutate(name, part)

/**
 * @param {string} name
 * @param {Part} part
 */
async function mutate(name, { sources, tests }) {
  const files = filesMatching(/^packages\/proxyprotocol\/.*\.ts$/)
  const stryker = new Stryker({
    mutate: files.filter(
      file => sources.test(file) && (words.length === 0 || words.some(word => file.includes(word))),
    ),
    testRunner: 'collected',
    plugins: [fileURLToPath(new URL('mutation/runner.js', import.meta.url))],
    collected: tests.flatMap(pattern =>
      files
        .filter(file => pattern.test(file) && file.endsWith('.test.ts'))
        .map(file => file.replace(/ts$/, 'js')),
    ),
    buildCommand: 'tsc -p tsconfig.mutants.json',
    coverageAnalysis: 'perTest',
    ignoreStatic: true,
    timeoutMS: 10_000,
    reporters: ['progress-append-only', 'json'],
    jsonReporter: { fileName: `${folder}/${name}.json` },
    tempDirName: `${folder}/sandbox`,
    cleanTempDir: 'always',
    ignorePatterns: ['coverage', 'bench', 'interop', '**/dist'],
    allowConsoleColors: false,
  })
  report(name, await stryker.runMutationTest())
}

/**
 * @param {string} name
 * @param {MutantResult[]} results
 */
function report(name, results) {
  const judged = results.filter(({ status }) => status !== 'Ignored' && status !== 'CompileError')
  const unnoticed = judged.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
  const score = (100 * (judged.length - unnoticed.length)) / judged.length
  const lines = unnoticed.map(
    ({ fileName, location: { start }, replacement, status }) =>
      `${fileName.slice(fileName.indexOf('packages/'))}:${start.line}:${start.column} ${status}: ${replacement}`,
  )
  writeFileSync(join(root, folder, `${name}.txt`), `${lines.sort().join('\n')}\n`)
  console.log(
    `${name}: ${judged.length} changes, ${unnoticed.length} unnoticed, ${score.toFixed(1)} % noticed; they are in ${folder}/${name}.txt`,
  )
  if (score < WANTED) process.exitCode = 1
}
