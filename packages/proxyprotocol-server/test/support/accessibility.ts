// What axe-core finds wrong with a page, in every look that a reader may have it in.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { openPage } from './browser.ts'

/** A telephone, a tablet and a screen: the pages are laid out differently for each. */
const WIDTHS = [375, 820, 1_400]

/**
 * Fails where axe-core finds a fault of any kind, best practices among them, light or dark, at any width.
 *
 * @param shows each opens one page to be looked at.
 */
export async function assertAccessible(
  t: TestContext,
  ...shows: readonly ((page: Page) => Promise<unknown>)[]
): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await openPage(t, { colorScheme })
    for (const show of shows) {
      await show(page)
      await page.evaluate(axe.source)
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 })
        assert.deepEqual(await violationsOf(page), [], `${page.url()}, ${colorScheme}, ${width} px wide`)
      }
    }
  }
}

/** One line for each rule and element. */
async function violationsOf(page: Page): Promise<readonly string[]> {
  const { violations } = await page.evaluate<axe.AxeResults>("axe.run({ resultTypes: ['violations'] })")
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, any }) => [id, help, String(target), any[0]?.message ?? ''].join(': ')),
  )
}
