// Builds the C program at both ends of the proxies, once for each state of its sources.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { multiarch, provideFiles } from '../../interop/debian.ts'
import { cache } from './cache.ts'

const SOURCES = fileURLToPath(new URL('peer', import.meta.url))

/**
 * @returns the path of the program.
 * @throws Error when there is no C compiler, or it refuses, or OpenSSL cannot be had.
 */
export function compilePeer(): string {
  const files = readdirSync(SOURCES).toSorted()
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(join(SOURCES, file)))
  const program = join(cache, `peer-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(program)) return program
  mkdirSync(cache, { recursive: true })
  const sources = files.filter(file => file.endsWith('.c')).map(file => join(SOURCES, file))
  const flags = ['-O2', '-Wall', '-Wextra', '-o', program]
  const { error, status } = spawnSync('cc', [...flags, ...sources, ...opensslFlags()], { stdio: 'inherit' })
  if (error)
    throw new Error('the load is a C program, and there is no cc to compile it with', { cause: error })
  if (status !== 0) throw new Error(`cc ended with ${String(status)}`)
  return program
}

/**
 * What the compiler needs for OpenSSL: nothing but the libraries, or else where Debian's package is unpacked.
 *
 * @throws Error if it is not installed and cannot be fetched.
 */
function opensslFlags(): readonly string[] {
  const libraries = ['-lssl', '-lcrypto']
  if (preprocesses(libraries)) return libraries
  const root = provideFiles('openssl', ['libssl-dev'])
  const include = join(root, 'usr/include')
  const headers = [include, ...multiarch(include)].map(folder => `-I${folder}`)
  const folders = multiarch(join(root, 'usr/lib'))
  const flags = [...headers, ...folders.flatMap(path => [`-L${path}`, `-Wl,-rpath,${path}`]), ...libraries]
  if (!preprocesses(flags))
    throw new Error('the load speaks TLS, and there is no OpenSSL: install libssl-dev')
  return flags
}

function preprocesses(flags: readonly string[]): boolean {
  const args = ['-E', ...flags, '-include', 'openssl/ssl.h', '-x', 'c', '/dev/null']
  return spawnSync('cc', args, { stdio: 'ignore' }).status === 0
}
