// A page in headless Chromium; each test gets its own.

import type { TestContext } from 'node:test'
import { chromium, type Browser, type Page } from 'playwright-core'
import { atEnd } from './teardown.ts'

/** `npm run test:pages` finds it. */
const { CHROMIUM: executablePath } = process.env

/** What a page is opened with. */
export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
}

/** A page, and what has gone wrong in it: errors of its script and of its console, answers that are no success. */
export interface OpenPage {
  readonly page: Page
  readonly faults: readonly string[]
}

/** Opens an empty page; it is closed with the browser at the test's end. */
export async function openPage(
  t: TestContext,
  { colorScheme = 'light', width = 1280, height = 900 }: PageOptions = {},
): Promise<OpenPage> {
  const browser = await launch()
  atEnd(t, () => browser.close())
  const page = await browser.newPage({ colorScheme, viewport: { width, height } })
  const faults: string[] = []
  page.on('pageerror', error => faults.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error') faults.push(message.text())
  })
  return { page, faults }
}

async function launch(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('run this by npm run test:pages')
  return chromium.launch({ executablePath, args: ['--no-sandbox'] }) // root, as in a container, has no sandbox
}
