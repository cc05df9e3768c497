// The library and the programs on every runtime that they claim to run on: their tests on each line of Node but the one that
// runs this, for which `npm test` is there, and the library's smoke suite on Deno and Bun, against what `npm run build` has built.
//
// npm run check:runtimes                all
// npm run check:runtimes -- node24 bun  only those

import { spawnSync } from 'node:child_process'
import { root } from './files.js'
import { installRuntimes, versionOf } from './runtimes.js'

/** Milliseconds for one runtime, whose tests take one to two minutes on two cores, and five and a half with a load of 20. */
const TIMEOUT = 600_000

/**
 * All that meets sockets, TLS, processes or timers. Of the programs, `config` and `explain` are left out, which only turn text
 * into data, and `soak`, which takes long and is about load: of that the ends of streams stay, where the lines of Node differ most.
 * Pages need a browser, whatever Node is.
 */
const tests = [
  'scripts/test.js',
  'packages/proxyprotocol/test',
  ...['admin', 'cli', 'log', 'relay', 'soak/cut-streams'].map(
    part => `packages/proxyprotocol-server/test/${part}`,
  ),
]
const smoke = 'packages/proxyprotocol/test/smoke/run.ts'

try {
  const binaries = installRuntimes()
  const chosen = choose(Object.keys(binaries))
  const results = chosen.map(name => run(name, binaries[name] ?? ''))
  show(results)
  process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
} catch (error) {
  console.error(`runtimes: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

/**
 * The runtimes asked for, or all but the line of Node that runs this.
 *
 * @param {string[]} names
 */
function choose(names) {
  const words = process.argv.slice(2)
  const unknown = words.filter(word => !names.includes(word))
  if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')} here, only ${names.join(', ')}`)
  const own = `node${process.versions.node.split('.')[0]}`
  return words.length > 0 ? words : names.filter(name => name !== own)
}

/**
 * @param {string} name
 * @param {string} binary its path
 */
function run(name, binary) {
  const words = name === 'deno' ? ['run', '--allow-all', smoke] : name === 'bun' ? [smoke] : tests
  const start = performance.now()
  const { status, signal, stdout, stderr } = spawnSync(binary, words, {
    cwd: root,
    encoding: 'utf8',
    timeout: TIMEOUT,
    maxBuffer: Infinity,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const count = (/** @type {string} */ what) =>
    Number(new RegExp(`^ℹ ${what} (\\d+)$`, 'm').exec(stdout)?.[1] ?? 0)
  const passed = count('pass')
  // A runner that finds nothing to run is content, and we are not.
  const ok = status === 0 && passed > 0 && passed === count('tests')
  if (!ok) console.error(`== ${name} failed (${signal ?? `exit code ${status}`}):\n${stdout}${stderr}`)
  return { runtime: name, version: versionOf(binary), tests: count('tests'), passed, seconds, ok }
}

/** @param {ReturnType<typeof run>[]} results */
function show(results) {
  const rows = results.map(({ runtime, version, tests, passed, seconds, ok }) => [
    runtime.replace(/\d+$/, ''),
    version,
    `${passed} of ${tests}`,
    seconds,
    ok ? 'ok' : 'FAILED',
  ])
  for (const row of [['runtime', 'version', 'passed', 'seconds', ''], ...rows]) {
    console.log(
      row
        .map((cell, at) => cell.padEnd([9, 9, 14, 9, 0][at] ?? 0))
        .join(' ')
        .trimEnd(),
    )
  }
}
