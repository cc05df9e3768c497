// What axe-core says of the documentation site, built as it is published.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { temporaryFolder } from 'test-support/folder'
import { assertAccessible } from '../support/accessibility.ts'
import { pathOf } from '../support/child.ts'

/** The front page, text, wide tables, and of the reference a function and an interface. */
const PAGES = [
  ...['index', 'docs/server', 'docs/config'],
  ...['api/proxyprotocol/server/attach', 'api/proxyprotocol-server/Relay'],
]

test('the documentation site has no fault that axe-core knows', async t => {
  const site = temporaryFolder(t)
  const build = spawnSync(process.execPath, [pathOf('scripts/docs-site.js'), site], { encoding: 'utf8' })
  assert.equal(build.status, 0, build.stderr)
  const urls = PAGES.map(name => pathToFileURL(join(site, `${name}.html`)).href)
  await assertAccessible(t, ...urls.map(url => (page: Page) => page.goto(url)))
})
