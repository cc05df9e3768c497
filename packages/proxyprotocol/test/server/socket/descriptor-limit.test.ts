// The limit on open files: read where the system tells it, and unknown everywhere else.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from 'test-support/folder'
import { descriptorLimit } from '../../../src/server/index.ts'
import { serverSettings } from '../../../src/server/lifecycle/server-options.ts'

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             63432                63432                processes
Max open files            1024                 524288               files
Max locked memory         8388608              8388608              bytes
`

/** Makes the process one of this system until the test ends. */
function onPlatform(t: TestContext, value: string): void {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform') ?? assert.fail()
  Object.defineProperty(process, 'platform', { ...platform, value })
  t.after(() => Object.defineProperty(process, 'platform', platform))
}

test('descriptorLimit() is the soft limit of a file such as Linux gives', t => {
  onPlatform(t, 'linux')
  const folder = temporaryFolder(t)
  const path = join(folder, 'limits')
  for (const [content, expected] of [
    [LIMITS, 1024],
    [LIMITS.replace('1024  ', '1048576'), 1_048_576],
    [LIMITS.replace('1024     ', 'unlimited'), undefined],
    ['', undefined],
  ] as const) {
    writeFileSync(path, content)
    assert.equal(descriptorLimit(path), expected)
  }
  assert.equal(descriptorLimit(folder), undefined)
  assert.equal(descriptorLimit(join(folder, 'missing')), undefined)
})

test('descriptorLimit() is unknown on other systems, and connections are not limited by it', t => {
  onPlatform(t, 'darwin')
  assert.equal(descriptorLimit(), undefined)
  assert.equal(serverSettings({ trust: [] }).connections, Infinity)
})

test('descriptorLimit() is what ulimit says, where this is Linux', () => {
  const { status, stdout } = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })
  assert.equal(status, 0)
  assert.equal(descriptorLimit(), process.platform === 'linux' ? Number(stdout) : undefined)
})
