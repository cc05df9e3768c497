// The inspector on narrow screens, in both colour schemes, and its buttons that copy.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeader, tlv } from 'proxyprotocol'
import { inspectorPage } from '../../src/cli/inspector-page.ts'
import { openPage } from '../support/browser.ts'
import { source, destination, line, plain, open } from '../support/inspector.ts'

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** As WCAG has it, of `#rrggbb`. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[0-9a-f]{2}/gi) ?? []).map(pair => {
    const part = Number.parseInt(pair, 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

test('the configuration fits the header, and is copied as it stands', async t => {
  const page = await open(
    t,
    `#${hexOf(encodeHeader({ source, destination, tlvs: [tlv.authority('a')] }, { checksum: true }))}`,
  )
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const text = (await page.textContent('#configuration')) ?? ''
  assert.match(text, /version: 'v2', validate: requireChecksum/)
  assert.match(text, /send-proxy-v2 proxy-v2-options authority,crc32c/)
  const copied = (): Promise<unknown> => page.evaluate('navigator.clipboard.readText()')
  await page.click('.snippet button >> nth=0')
  await page.waitForSelector('.snippet button:text-is("Copied")')
  assert.equal(await copied(), await page.textContent('.snippet pre >> nth=0'))
  await page.click('#copy-link')
  await page.waitForSelector('#copy-link:text-is("Copied")')
  assert.equal(await copied(), await page.evaluate('location.href'))
  await page.fill('#text', line)
  await page.click('#copy-hex')
  await page.waitForSelector('#copy-hex:text-is("Copied")')
  assert.equal(await copied(), hexOf(Buffer.from(line)))
  assert.match((await page.textContent('#configuration')) ?? '', /proxy_protocol on;/)
})

test('a button says for a moment that it has copied, however often it is pressed', async t => {
  const page = await open(t)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.clock.install()
  for (let presses = 0; presses < 2; presses++) {
    await page.evaluate("navigator.clipboard.writeText('')")
    await page.click('#copy-hex')
    while ((await page.evaluate('navigator.clipboard.readText()')) === '');
    await page.waitForSelector('#copy-hex:text-is("Copied")')
  }
  await page.clock.runFor(60_000)
  assert.equal(await page.textContent('#copy-hex'), 'Copy hex')
})

test('a page that came by http from elsewhere copies too', async t => {
  const { page, faults } = await openPage(t)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.addInitScript("Object.defineProperty(window, 'isSecureContext', { value: false })")
  await page.goto(inspectorPage(plain))
  await page.click('#copy-hex')
  await page.waitForSelector('#copy-hex:text-is("Copied")')
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), hexOf(plain))
  assert.deepEqual(faults, [])
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every colour of text is readable, ${colorScheme}`, async t => {
    const page = await open(t, '', { colorScheme })
    const colourOf = (name: string): Promise<string> =>
      page.evaluate(`getComputedStyle(document.documentElement).getPropertyValue('--${name}')`)
    const panel = luminance(await colourOf('panel'))
    const hues = Array.from({ length: 6 }, (_, hue) => `hue-${hue}`)
    for (const name of ['ink', 'quiet', 'link', 'bad', 'good', ...hues]) {
      const text = luminance(await colourOf(name))
      const contrast = (Math.max(text, panel) + 0.05) / (Math.min(text, panel) + 0.05)
      assert.ok(contrast >= 4.5, `${name}: ${contrast}`)
    }
  })
}

test('on a narrow screen nothing is wider than it', async t => {
  const page = await open(t, '', { width: 360 })
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
  assert.equal(await page.locator('.grid .row >> nth=0').locator('.hex [data-at]').count(), 8)
  await page.setViewportSize({ width: 1_280, height: 800 })
  await page.waitForSelector('.row:first-child .hex [data-at="15"]')
})
