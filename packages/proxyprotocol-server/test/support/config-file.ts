// A configuration as a file.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from 'test-support/folder'

/** Writes a file that is gone at the test's end; what is not text is written as JSON. */
export function configFile(t: TestContext, content: unknown, name = 'proxy.json'): string {
  const folder = temporaryFolder(t)
  const file = join(folder, name)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}
