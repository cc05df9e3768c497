// Runs other programs, and says which of them this machine lacks.

import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'

/** Milliseconds for one command. */
const TIMEOUT = 300_000

/**
 * The standard output of a command that succeeds.
 *
 * @param {string} command
 * @param {string[]} words
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function run(command, words, options) {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    timeout: TIMEOUT,
    ...options,
    encoding: 'utf8',
  })
  if (status !== 0)
    throw new Error(`"${[command, ...words].join(' ')}" failed:\n${error?.message ?? `${stdout}${stderr}`}`)
  return stdout.trim()
}

/**
 * Says which programs this machine lacks, or is undefined if it has all.
 *
 * @param {Record<string, string>} packages the Debian package of each program
 * @throws Error instead, if `REQUIRE_CONTAINERS=1`.
 */
export function lacking(packages) {
  const missing = Object.keys(packages).filter(program => !isInstalled(program))
  if (missing.length === 0) return undefined
  const install = [...new Set(missing.map(program => packages[program]))].join(' ')
  const reason = `missing: ${missing.join(', ')}; on Debian: apt-get install --no-install-recommends ${install}`
  if (process.env['REQUIRE_CONTAINERS'] === '1') throw new Error(reason)
  return reason
}

/** @param {string} program */
function isInstalled(program) {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
