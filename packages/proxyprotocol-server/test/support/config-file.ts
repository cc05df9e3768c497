// A configuration as a file.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { atEnd } from './teardown.ts'

/** Writes a file that is gone at the test's end; what is no text is written as JSON. */
export function configFile(t: TestContext, content: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyprotocol-'))
  atEnd(t, () => {
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'proxy.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}
