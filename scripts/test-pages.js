// Runs the tests of the pages, *.page.test.ts, in a headless Chromium. Without one they are left out, loudly; in CI that
// is a failure.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './files.js'

const candidates = [process.env['CHROMIUM'] ?? '/usr/bin/chromium', '/usr/bin/google-chrome']
const browser = candidates.find(path => existsSync(path))

if (browser === undefined) {
  console.error(`NOT TESTED: the pages. There is no ${candidates.join(' or ')}: apt-get install chromium`)
  process.exitCode = process.env['CI'] ? 1 : 0
} else {
  const env = { ...process.env, CHROMIUM: browser }
  const command = [join('scripts', 'test.js'), ...process.argv.slice(2)]
  const { status } = spawnSync(process.execPath, command, { cwd: root, env, stdio: 'inherit' })
  process.exitCode = status ?? 1
}
