// The page of the inspector in a browser, and what a test reads from it.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { encodeHeader } from 'proxyprotocol'
import { inspectorPage } from '../../src/cli/inspector-page.ts'
import { openPage, type PageOptions } from './browser.ts'

export const source = { address: '192.0.2.1', port: 56324 }
export const destination = { address: '198.51.100.7', port: 443 }
export const line = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'
export const plain = encodeHeader({ source, destination })

/** The page from the disk; whatever goes wrong in it fails the test, violations of its policy among it. */
export async function open(t: TestContext, hash = '', options: PageOptions = {}): Promise<Page> {
  const { page, faults } = await openPage(t, options)
  t.after(() => assert.deepEqual(faults, []))
  await page.goto(inspectorPage() + hash)
  return page
}

/** What was changed other than by pasting stands in the place of what was pasted. */
export function bytesIn(page: Page): Promise<string> {
  return page.inputValue('#text')
}

/** Version, family and both ends, as the form has them. */
export function formOf(page: Page): Promise<readonly string[]> {
  const inputs = ['version', 'family', 'source', 'sourcePort', 'destination', 'destinationPort']
  return Promise.all(inputs.map(id => page.inputValue(`#${id}`)))
}

export async function valueOf(page: Page, name: string): Promise<string> {
  const row = page.locator('#fields li', { has: page.locator(`.name:text-is("${name}")`) })
  return (await row.locator('.value').textContent()) ?? ''
}
