// The other implementations, as Debian has them: what is installed, or else unpacked below node_modules/.cache, which needs
// no root and starts no service.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where whatever is made here is kept. */
export const cache: string = fileURLToPath(new URL('../../node_modules/.cache/differential', import.meta.url))
/** Where packages are unpacked. */
export const root: string = join(cache, 'root')

const packages = {
  haproxy: ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'],
  nginx: ['nginx', 'libnginx-mod-stream'],
  go: ['golang-1.19-go', 'golang-1.19-src', 'golang-github-pires-go-proxyproto-dev'],
} as const
const paths = {
  haproxy: ['usr/sbin/haproxy', '-v'],
  nginx: ['usr/sbin/nginx', '-v'],
  go: ['usr/lib/go-1.19/bin/go', 'version'],
} as const

/** A program, and what its environment needs. */
export interface Program {
  readonly path: string
  readonly environment: NodeJS.ProcessEnv
  /** What it calls itself. */
  readonly version: string
  /** Where its package was unpacked; `/` for one that is installed. */
  readonly root: string
}

/** @throws Error where it is not installed and its package cannot be fetched. */
export function findProgram(name: keyof typeof packages): Program {
  const [path, flag] = paths[name]
  const found = programAt('/', path, flag) ?? programAt(root, path, flag)
  if (found) return found
  unpack(packages[name])
  const unpacked = programAt(root, path, flag)
  if (!unpacked) throw new Error(`${name} is not installed, and Debian's package cannot be fetched and run`)
  return unpacked
}

function programAt(top: string, path: string, flag: string): Program | undefined {
  const program = join(top, path)
  if (!existsSync(program)) return undefined
  const environment = { ...process.env, ...(top === '/' ? {} : libraries()) }
  const { status, stdout, stderr } = spawnSync(program, [flag], { env: environment, encoding: 'utf8' })
  const version = /\d+\.\d+[\w.+-]*/.exec(stdout + stderr)?.[0] ?? ''
  return status === 0 ? { path: program, environment, version, root: top } : undefined
}

function unpack(names: readonly string[]): void {
  const folder = join(cache, 'packages')
  mkdirSync(folder, { recursive: true })
  spawnSync('apt-get', ['download', '-q', ...names], { cwd: folder, stdio: 'ignore' })
  const files = readdirSync(folder).filter(file => names.some(name => file.startsWith(`${name}_`)))
  for (const file of files) spawnSync('dpkg-deb', ['-x', join(folder, file), root])
}

function libraries(): NodeJS.ProcessEnv {
  const lib = join(root, 'usr/lib')
  const folders = readdirSync(lib).filter(folder => folder.endsWith('-linux-gnu'))
  return { LD_LIBRARY_PATH: folders.map(folder => join(lib, folder)).join(':') }
}
