// Uses both packages as a stranger would: packs them, installs the tarballs into an empty project without a registry,
// imports every subpath, compiles against the types, starts the programs and looks at what was shipped.

import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { root } from './files.js'
import { pack, packages, packedProject, run } from './packed-project.js'

/** @typedef {{ name: string, version: string, exports: object, bin?: object, scripts?: object }} Manifest */

const shippable =
  /^(package\.json|config\.schema\.json|README\.md|LICENSE|vectors\/[^/]+\.json|bin\/[^/]+\.js|src\/.+\.ts|dist\/.+\.(js|d\.ts)(\.map)?|dist\/web\/[^/]+\.html|dist\/cjs\/package\.json)$/
const bin = join(root, 'node_modules', '.bin')
const project = packedProject()

try {
  importSubpaths()
  const faults = [
    lockfileFaults(),
    installFaults(),
    packages.map(repackFaults),
    packages.map(contentFaults),
    packages.map(programFaults),
  ].flat(2)
  for (const fault of faults) console.error(`packages: ${fault}`)
  process.exitCode = faults.length > 0 ? 1 : 0
} catch (error) {
  console.error(`packages: ${String(error)}`)
  process.exitCode = 1
} finally {
  rmSync(project, { recursive: true })
}

/** Imports every subpath of both packages, by the same lines at run time and in the type checker. */
function importSubpaths() {
  const subpaths = packages.flatMap(name =>
    Object.keys(manifestOf(name).exports).flatMap(path => matchesOf(name, path)),
  )
  const lines = subpaths.map((path, at) =>
    path.endsWith('.json')
      ? `import s${at} from '${path}' with { type: 'json' }`
      : `import * as s${at} from '${path}'`,
  )
  lines.push(`export const all = [${subpaths.map((_, at) => `s${at}`).join(', ')}]`)
  for (const file of ['use.js', 'use.ts']) writeFileSync(join(project, file), lines.join('\n'))
  Object.assign(process.env, { PROXYPROTOCOL_TRUST: '127.0.0.1', PROXYPROTOCOL_PORTS: '1' }) // for proxyprotocol/register
  run(project, process.execPath, '--no-warnings', 'use.js')
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')]
  run(
    project,
    join(bin, 'tsc'),
    '--strict',
    '--noEmit',
    '--target',
    'es2023',
    '--module',
    'nodenext',
    ...types,
    'use.ts',
  )
}

/**
 * The subpath, or those that a pattern stands for: the pattern of an export is that of its files.
 *
 * @param {string} name
 * @param {string} path such as "./vectors/*.json"
 */
function matchesOf(name, path) {
  const [before = '', after] = path.split('*')
  if (after === undefined) return [name + path.slice(1)]
  const files = readdirSync(join(project, 'node_modules', name, before)).filter(file => file.endsWith(after))
  if (files.length === 0) throw new Error(`${name}: no file matches the export ${path}`)
  return files.map(file => name + before.slice(1) + file)
}

/** A lock file that names a registry would send every reader there. */
function lockfileFaults() {
  const named = /"resolved": "https?:.*"/.exec(read(root, 'package-lock.json'))
  return named ? [`package-lock.json has ${named[0]}: write it under this repository's .npmrc`] : []
}

/** Packages that would run something when they are installed: those that our own need, for ours have no scripts at all. */
function installFaults() {
  const hooks = ['preinstall', 'install', 'postinstall']
  const manifests = readdirSync(join(project, 'node_modules'), { recursive: true, encoding: 'utf8' })
    .filter(file => /(^|\/)((@[^/]+\/)?[^/@]+)\/package\.json$/.test(file.split(sep).join('/')))
    .map(file => /** @type {Manifest} */ (JSON.parse(read(project, 'node_modules', file))))
  return manifests
    .filter(({ scripts = {} }) => hooks.some(hook => hook in scripts))
    .map(({ name }) => `${name} runs a script when it is installed: do without it`)
}

/**
 * Whether packing the same tree again gives other bytes, so that nobody could compare what was published with its sources.
 *
 * @param {string} name
 */
function repackFaults(name) {
  const again = join(project, 'again')
  mkdirSync(again, { recursive: true })
  pack(again, [join(root, 'packages', name)])
  const tarball = `${name}-${manifestOf(name).version}.tgz`
  return readFileSync(join(again, tarball)).equals(readFileSync(join(project, tarball)))
    ? []
    : [`${name}: packing it twice gives different tarballs`]
}

/**
 * What a tarball has too much or too little.
 *
 * @param {string} name
 */
function contentFaults(name) {
  const folder = join(project, 'node_modules', name)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
  const faults = files.flatMap(file => fileFaults(file, files))
  if (!files.includes('README.md')) faults.push('README.md is missing')
  if (!files.includes('LICENSE') || read(folder, 'LICENSE') !== read(root, 'LICENSE'))
    faults.push('LICENSE is missing or not the one at the top of the repository: copy that')
  const manifest = manifestOf(name)
  if (manifest.scripts)
    faults.push('package.json has "scripts": nothing runs at install, the rest stands at the top')
  if (name === 'proxyprotocol' && 'dependencies' in manifest) faults.push('the library has no "dependencies"')
  return faults.map(fault => `${name}: ${fault}`)
}

/**
 * @param {string} file
 * @param {string[]} files all that were shipped beside it
 */
function fileFaults(file, files) {
  if (!shippable.test(file) || /(^|\/)test\/|\.test\./.test(file))
    return [`${file} has no place in the tarball: see "files" in package.json`]
  if (file.endsWith('.html') || file.endsWith('package.json')) return []
  const source = file.replace(/^dist\/(?:cjs\/)?(.+?)(\.d\.ts|\.js)(\.map)?$/, 'src/$1.ts')
  return files.includes(source) ? [] : [`${file} has no source any more: delete dist and build again`]
}

/**
 * Programs that do not say their version or how they are used.
 *
 * @param {string} name
 */
function programFaults(name) {
  const { bin: programs = {}, version } = manifestOf(name)
  return Object.keys(programs).flatMap(program => {
    const path = join(project, 'node_modules', '.bin', program)
    const faults = []
    if (run(project, path, '--version').trim() !== version)
      faults.push(`${program} --version does not print ${version}`)
    if (!run(project, path, '--help').includes(program))
      faults.push(`${program} --help does not name the program`)
    return faults
  })
}

/**
 * @param {string} name
 * @returns {Manifest}
 */
function manifestOf(name) {
  return /** @type {Manifest} */ (JSON.parse(read(project, 'node_modules', name, 'package.json')))
}

/** @param {string[]} path */
function read(...path) {
  return readFileSync(join(...path), 'utf8')
}
