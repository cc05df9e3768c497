// A folder of a test's own.

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** Makes one; it is removed at the test's end. */
export function temporaryFolder(t: Pick<TestContext, 'after'>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'proxyprotocol-')))
  t.after(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}
