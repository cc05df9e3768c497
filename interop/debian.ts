// Other people's programs, for this folder, for hostile/ and for bench/. What is not installed comes from Debian's packages, unpacked below node_modules/.cache with what they
// need and the system lacks: that takes no root, changes no system and starts no service.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CACHE = fileURLToPath(new URL('../node_modules/.cache/interop', import.meta.url))
/** Written last: without it a folder holds what an unpacking that was cut short has left. */
const COMPLETE = 'complete'
const PROGRAM_FOLDERS = ['usr/sbin', 'usr/bin', 'usr/games', 'usr/lib/postgresql/15/bin']

/** What a peer says of its program. */
export interface Debian {
  readonly program: string
  /** The packages that hold it; what they depend on is found out. */
  readonly packages: readonly string[]
  /** The arguments with which it tells its version; without them that of its first package is told. */
  readonly version?: readonly string[]
}

/** A program that can be started. */
export interface Program {
  readonly path: string
  /** Where its packages were unpacked; empty where it is installed. */
  readonly root: string
  readonly environment: Readonly<Record<string, string>>
  /** Its name and version. */
  readonly version: string
}

/**
 * The program, installed or unpacked.
 *
 * @throws Error that says what is missing, and what to do.
 */
export function provide(debian: Debian): Program {
  const known = provided.get(debian)
  if (known) return known
  const found = find(debian)
  provided.set(debian, found)
  return found
}

/** A program that is started by others, and the arguments with which they start it. */
export interface Started extends Pick<Program, 'path' | 'environment'> {
  readonly args: readonly string[]
}

/** Shows an unpacked program its compiled-in places where it looks for them; `proot` must be among its packages. */
export function inPlace({ path, root, environment }: Program, places: readonly string[]): Started {
  if (root === '') return { path, environment, args: [] }
  const bound = places.flatMap(place => ['-b', `${join(root, place)}:${place}`])
  return { path: join(root, 'usr/bin/proot'), environment, args: [...bound, path] }
}

const provided = new Map<Debian, Program>()

function find({ program, packages, version }: Debian): Program {
  const root = provideFiles(program, packages)
  const unpacked = PROGRAM_FOLDERS.map(folder => join(root, folder, program)).find(path => existsSync(path))
  const path = unpacked ?? PROGRAM_FOLDERS.map(folder => join('/', folder, program)).find(existsSync)
  if (path === undefined) throw new Error(`the packages ${packages.join(', ')} hold no program ${program}`)
  const environment = unpacked === undefined ? {} : libraryPath(root)
  const found = { path, root: unpacked === undefined ? '' : root, environment }
  const number = version ? versionOf(program, found, version) : packageVersion(String(packages[0]), root)
  return { ...found, version: `${program} ${number}` }
}

/**
 * The folder with what the system lacks of packages and of what they need; it may be empty.
 *
 * @throws Error that says what is missing, and what to do.
 */
export function provideFiles(name: string, packages: readonly string[]): string {
  const root = join(CACHE, name)
  if (!existsSync(join(root, COMPLETE))) unpack(packages, root)
  return root
}

function unpack(packages: readonly string[], root: string): void {
  const folder = `${root}.packages`
  for (const each of [root, folder]) {
    rmSync(each, { recursive: true, force: true }) // what an earlier run has left unfinished
    mkdirSync(each, { recursive: true })
  }
  const lacking = download(packages, folder)
  for (const file of readdirSync(folder)) run('dpkg-deb', ['-x', join(folder, file), root], folder)
  run('chmod', ['-R', 'ug-s', root], folder) // a file in a cache must not make its author root
  rmSync(folder, { recursive: true })
  writeFileSync(join(root, COMPLETE), `${lacking.join('\n')}\n`)
}

/** As root it brings apt's lists up to date where there are none, or old ones that name what is gone. */
function download(packages: readonly string[], folder: string): readonly string[] {
  try {
    return downloadLacking(packages, folder)
  } catch (error) {
    if (process.getuid?.() !== 0)
      throw new Error(`${String(error)}\n\`sudo apt-get update\` may help`, { cause: error })
    run('apt-get', ['-q', 'update'], folder)
    return downloadLacking(packages, folder)
  }
}

/** What is installed in an older version is left as it is. */
function downloadLacking(packages: readonly string[], folder: string): readonly string[] {
  const planned = run('apt-get', ['-s', '--no-install-recommends', 'install', ...packages], folder)
  const lacking = [...planned.matchAll(/^Inst (\S+) \((\S+)/gm)].map(
    ([, name, version]) => `${String(name)}=${String(version)}`,
  )
  if (lacking.length > 0) run('apt-get', ['download', '-q', ...lacking], folder)
  return lacking
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

function libraryPath(root: string): Readonly<Record<string, string>> {
  const folders = ['usr/lib', 'lib'].map(folder => join(root, folder))
  return { LD_LIBRARY_PATH: [...folders.flatMap(multiarch), join(root, 'usr/lib')].join(':') }
}

/** Those of a folder that are for one kind of machine. */
export function multiarch(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap(name => (name.includes('-linux-gnu') ? [join(folder, name)] : []))
}

/** Its first number with a point, on whichever output that stands. */
function versionOf(
  program: string,
  { path, environment }: Omit<Program, 'version'>,
  args: readonly string[],
): string {
  const { stdout, stderr, error } = spawnSync(path, args, {
    argv0: program, // some begin with their path, which may hold such a number as well
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  })
  const version = /\d+\.\d[^\s,)]*/.exec(`${stdout}\n${stderr}`)
  if (error || !version) throw new Error(`${path} does not run: ${error?.message ?? stderr}`)
  return version[0]
}

function packageVersion(name: string, root: string): string {
  const unpacked = readFileSync(join(root, COMPLETE), 'utf8').split('\n')
  const entry = unpacked.find(line => line.startsWith(`${name}=`))
  if (entry !== undefined) return entry.slice(name.length + 1)
  return spawnSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' }).stdout
}
