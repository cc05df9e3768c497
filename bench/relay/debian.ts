// HAProxy, nginx and OpenSSL: those that are installed, or else Debian's packages, unpacked below node_modules/.cache, which needs
// no root and starts no service.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { cache } from './cache.ts'

/** A program, and what its environment needs. */
export interface Program {
  readonly path: string
  readonly environment: Readonly<Record<string, string>>
  /** Where its package was unpacked; empty for one that is installed. */
  readonly root: string
}

/** The package, and those that it needs and a small system lacks. */
const packages = {
  haproxy: ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'],
  nginx: ['nginx', 'libnginx-mod-stream'],
} as const

const OPENSSL = ['libssl-dev', 'libssl3']

const root = join(cache, 'debian')

/** The program; undefined, with a word on standard error, where it cannot be had. */
export function findProgram(name: keyof typeof packages): Program | undefined {
  const installed = ['/usr/sbin', '/usr/bin', '/usr/local/sbin'].map(folder => join(folder, name)).find(works)
  if (installed !== undefined) return { path: installed, environment: {}, root: '' }
  const path = join(root, 'usr/sbin', name)
  if (!existsSync(path)) unpack(packages[name])
  if (works(path)) return { path, environment: libraries(), root }
  console.error(
    `\n*** ${name} is LEFT OUT: it is not installed, and its Debian package cannot be fetched ***\n`,
  )
  return undefined
}

/**
 * What a C compiler needs to be told for OpenSSL.
 *
 * @throws Error where it is not installed and cannot be fetched.
 */
export function opensslFlags(): readonly string[] {
  const libraries = ['-lssl', '-lcrypto']
  if (preprocesses(libraries)) return libraries
  unpack(OPENSSL)
  const include = join(root, 'usr/include')
  const headers = ['', ...multiarch(include)].map(folder => `-I${join(include, folder)}`)
  const lib = join(root, 'usr/lib')
  const folders = multiarch(lib).map(folder => join(lib, folder))
  const flags = [...headers, ...folders.flatMap(path => [`-L${path}`, `-Wl,-rpath,${path}`]), ...libraries]
  if (!preprocesses(flags))
    throw new Error('the load speaks TLS, and there is no OpenSSL: install libssl-dev')
  return flags
}

function preprocesses(flags: readonly string[]): boolean {
  const args = ['-E', ...flags, '-include', 'openssl/ssl.h', '-x', 'c', '/dev/null']
  return spawnSync('cc', args, { stdio: 'ignore' }).status === 0
}

function unpack(names: readonly string[]): void {
  const folder = join(cache, 'packages')
  mkdirSync(folder, { recursive: true })
  spawnSync('apt-get', ['download', '-q', ...names], { cwd: folder, stdio: 'ignore' })
  const files = readdirSync(folder).filter(file => names.some(name => file.startsWith(`${name}_`)))
  for (const file of files) spawnSync('dpkg-deb', ['-x', join(folder, file), root])
}

function works(path: string): boolean {
  return existsSync(path) && spawnSync(path, ['-v'], { env: { ...process.env, ...libraries() } }).status === 0
}

function libraries(): Readonly<Record<string, string>> {
  const lib = join(root, 'usr/lib')
  const folders = multiarch(lib).map(folder => join(lib, folder))
  return folders.length === 0 ? {} : { LD_LIBRARY_PATH: folders.join(':') }
}

function multiarch(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('-linux-gnu')) : []
}
