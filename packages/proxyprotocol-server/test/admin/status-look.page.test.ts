// The status page in a browser: how it looks, with markup and with much of everything, and to whom.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { temporaryFolder } from 'test-support/folder'
import { runServer } from '../../src/cli/index.ts'
import { openPage } from '../support/browser.ts'
import { start } from '../support/program.ts'
import { listen } from '../support/connections.ts'
import { cells, startStage } from '../support/status-page.ts'
import { many, startStatus, troubled } from '../support/status-states.ts'
import { atEnd } from '../support/teardown.ts'

const [MARKUP, MARKUP_TOO] = ['<img src=x onerror=alert(1)>', '<script>alert(2)</script>']

test('markup from the network and from configured names is shown as the text it is', async t => {
  const folder = temporaryFolder(t)
  const upstream = await listen(t)
  const path = join(folder, MARKUP_TOO.replaceAll('/', '\\'))
  const { io } = await start(
    t,
    runServer,
    [
      ...['--service', `unix:${path}?pp=v2`, `127.0.0.1:${upstream.port}`],
      ...['--service', '127.0.0.1:0', ':1'],
      ...['--trust', 'unix', '--admin', '127.0.0.1:0'],
    ],
    { listeners: 1 },
  )
  await io.line(/ listening /)
  const [, port] = / admin address=127\.0\.0\.1:(\d+)/.exec(await io.line(/ admin /)) ?? []
  const client = connect(path)
  atEnd(t, () => client.destroy())
  client.write(encodeHeader({ source: { path: MARKUP }, destination: { path: '/run/"\'&.sock' } }))
  await upstream.accept()
  const { page, faults } = await openPage(t, { width: 1600 })
  await page.goto(`http://127.0.0.1:${String(port)}/`)
  await page.locator('#connections').getByText(MARKUP).waitFor()
  await page.locator('#connections').getByText('/run/"\'&.sock').waitFor()
  await page.locator('#services').getByText(path).first().waitFor()
  assert.deepEqual([await page.locator('img').count(), await page.locator('script').count()], [0, 1])
  assert.deepEqual(faults, [])
})

/** From 0 to 255, of a colour such as `rgb(1, 2, 3)`. */
function brightness(css: string): number {
  const parts = (css.match(/\d+/g) ?? []).slice(0, 3)
  return parts.reduce((sum, part) => sum + Number(part), 0) / 3
}

test('it is dark or light as the reader has it, and text can be read in both', async t => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, faults } = await startStage(t, { colorScheme })
    const styles = await page.evaluate<[string, string]>(
      '(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.body))',
    )
    const [text, ground] = styles.map(brightness)
    assert.ok(text !== undefined && ground !== undefined)
    const isDark = ground < text
    assert.equal(isDark, colorScheme === 'dark')
    assert.ok(Math.abs(ground - text) > 150, `${text} on ${ground}`)
    assert.deepEqual(faults, [])
  }
})

test('fifty services and a thousand connections are shown, filtered and sorted, by keyboard too', async t => {
  const port = await startStatus(t, many)
  const { page, faults } = await openPage(t)
  await page.goto(`http://127.0.0.1:${port}/`)
  const lines = page.locator('#connections tbody tr')
  await page.getByText('Only 1,000 of 1,500 are listed, the oldest of each service.').waitFor()
  assert.deepEqual([await page.locator('#services tbody').count(), await lines.count()], [50, 100])
  await page.locator('#trouble').getByText('tenant-1: 1,500 of 1,600 connections taken').waitFor()
  await page.locator('#trouble').getByText('7 lines of the log lost').waitFor()
  await page.getByRole('button', { name: 'show all 1,000' }).click()
  assert.equal(await lines.count(), 1_000)
  await page.getByRole('button', { name: 'show 100' }).click()
  assert.equal(await lines.count(), 100)

  const down = page.getByRole('columnheader', { name: 'Down' }).last()
  await down.getByRole('button').focus()
  await page.keyboard.press('Enter')
  assert.equal(await down.getAttribute('aria-sort'), 'descending')
  assert.equal((await cells(lines.first()))['Down'], '2.00 kB')
  await page.keyboard.press('Enter')
  assert.equal(await down.getAttribute('aria-sort'), 'ascending')
  assert.equal((await cells(lines.first()))['Down'], '0 B')
  await page.getByRole('button', { name: 'Source' }).click()
  assert.equal(await page.locator('[aria-sort]').count(), 1)

  await page.getByRole('searchbox', { name: 'Filter connections' }).fill('ODD.example 10.0.0.1:20003')
  await page.getByText('999 filtered out.').waitFor()
  assert.equal((await cells(lines.first()))['TLS'], 'TLSv1.3 odd.example')
  await page.getByRole('searchbox', { name: 'Filter services' }).fill('tenant-17')
  await page.getByText('49 services filtered out').waitFor()
  assert.deepEqual(faults, [])
})

test('at no width does anything run out of the page or is left out, and tables are still tables to a screen reader', async t => {
  const ports = [await startStatus(t, troubled), await startStatus(t, many)]
  for (const width of [360, 820, 1200, 1201, 1400]) {
    const { page, faults } = await openPage(t, { width })
    for (const port of ports) {
      await page.goto(`http://127.0.0.1:${port}/`)
      await page.locator('#connections tbody tr').first().waitFor()
      const overflow = await page.evaluate<number[]>(
        "[document.documentElement, ...document.querySelectorAll('.scroll')].map(each => each.scrollWidth - each.clientWidth)",
      )
      assert.deepEqual(overflow, [0, 0, 0, 0], `at ${width}`)
    }
    for (const label of ['Waiting', 'Traffic', 'Connected to'])
      assert.ok(await page.locator(`td[data-label="${label}"]`).first().isVisible(), `${label} at ${width}`)
    await page.getByRole('table', { name: 'Services 50' }).waitFor()
    await page
      .getByRole('rowheader', { name: /^tenant-1\b/ })
      .first()
      .waitFor()
    await page
      .getByRole('img', { name: /^Accepted in the last minute: 0\/s now, at most 0\/s/ })
      .first()
      .waitFor()
    assert.deepEqual(faults, [])
  }
})
