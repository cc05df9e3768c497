// An empty project with both packages in it as a stranger would have them: packed, and installed without a registry.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { root } from './files.js'

/** What we publish. */
export const packages = ['proxyprotocol', 'proxyprotocol-server']

/**
 * Packs both packages, and all they need at run time as npm installed it here, and installs the lot into a new folder,
 * which is the caller's to remove.
 */
export function packedProject() {
  const project = realpathSync(mkdtempSync(join(tmpdir(), 'packed-project-')))
  const workspaces = packages.map(name => `--workspace=${name}`)
  const needed = run(root, 'npm', 'ls', '--omit=dev', '--all', '--parseable', ...workspaces).split('\n')
  const folders = needed
    .filter(path => path.includes(`${sep}node_modules${sep}`))
    .map(path => realpathSync(path))
  pack(project, folders)
  const tarballs = readdirSync(project).map(file => `./${file}`)
  writeFileSync(
    join(project, 'package.json'),
    '{ "name": "proxyprotocol-packages", "version": "0.0.0", "private": true, "type": "module" }',
  )
  run(project, 'npm', 'install', '--offline', '--no-audit', '--no-fund', ...tarballs)
  return project
}

/**
 * @param {string} target the folder for the tarballs
 * @param {string[]} folders of packages
 */
export function pack(target, folders) {
  run(root, 'npm', 'pack', '--ignore-scripts', `--pack-destination=${target}`, ...folders)
}

/**
 * The standard output of a command that succeeds.
 *
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} words
 */
export function run(cwd, command, ...words) {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8', timeout: 300_000 })
  if (status !== 0) throw new Error(`"${[command, ...words].join(' ')}" failed:\n${stdout}${stderr}`)
  return stdout
}
