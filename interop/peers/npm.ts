// Programs of npm, which live in interop/npm with a lock file of their own: each test file there is one case.

import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Case, Peer } from '../peer.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'interop', 'npm')
const run = promisify(execFile)

export const npm: Peer = {
  name: 'npm',
  always: true,
  programs: [],
  cases: () => {
    install()
    const files = readdirSync(folder).filter(name => name.endsWith('.test.ts'))
    return Promise.resolve([checkTypes, ...files.map(testing)])
  },
}

/** Installs what the lock file names, unless that is there. */
function install(): void {
  const installed = join(folder, 'node_modules', '.package-lock.json')
  const lock = statSync(join(folder, 'package-lock.json'))
  if (existsSync(installed) && statSync(installed).mtimeMs >= lock.mtimeMs) return
  const { status, stderr } = spawnSync('npm', ['ci', '--loglevel', 'error'], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`npm ci in interop/npm: ${stderr}`)
}

const checkTypes: Case = {
  direction: 'chain',
  name: 'types of the tests',
  run: async () => {
    await runNode([join(root, 'node_modules/typescript/bin/tsc'), '-p', folder])
    return 'no fault'
  },
}

function testing(file: string): Case {
  return {
    direction: 'chain',
    name: file.replace('.test.ts', ''),
    run: async () => {
      const output = await runNode(['--import', 'tsx', '--test', '--test-reporter=tap', join(folder, file)])
      const passed = /^# pass ([1-9]\d*)$/m.exec(output)?.[1]
      if (passed === undefined) throw new Error('it has no test')
      return `${passed} tests`
    },
  }
}

/** Runs Node; if it fails, the error holds what it printed. */
async function runNode(args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(process.execPath, args, { cwd: root })
    return stdout
  } catch (cause) {
    throw new Error((cause as { stdout: string }).stdout, { cause }) // execFile() adds it
  }
}
