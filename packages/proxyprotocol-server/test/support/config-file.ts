// A configuration as a file.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from 'test-support/folder'
import { ConfigError, parseConfig } from '../../src/config/index.ts'

/** Writes a file that is gone at the test's end; what is not text is written as JSON. */
export function configFile(t: TestContext, content: unknown, name = 'proxy.json'): string {
  const folder = temporaryFolder(t)
  const file = join(folder, name)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

/** The lines of the error that a configuration is refused with. */
export function faultsIn(written: unknown, name: string): readonly string[] {
  try {
    parseConfig(written, name)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message.split('\n')
  }
  return assert.fail('it was accepted')
}
