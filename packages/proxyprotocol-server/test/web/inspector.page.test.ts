// The inspector in a browser: bytes that are pasted, linked and pointed at.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { encodeHeader, tlv } from 'proxyprotocol'
import { extensionTlv } from 'proxyprotocol/server'
import { runEcho, runServer } from '../../src/cli/index.ts'
import { inspectorPage } from '../../src/cli/inspector-page.ts'
import { openPage } from '../support/browser.ts'
import { start } from '../support/program.ts'
import { source, destination, line, plain, open, valueOf } from '../support/inspector.ts'

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Waits until the page's address has these bytes, and nothing else. */
async function isLinked(page: Page, bytes: Uint8Array): Promise<void> {
  await page.waitForURL(({ hash }) => hash === `#${hexOf(bytes)}`)
}

async function follow(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
}

async function namesOf(page: Page): Promise<readonly string[]> {
  return page.locator('#fields .name').allTextContents()
}

/** The offsets of the bytes that are marked. */
async function marked(page: Page): Promise<readonly number[]> {
  const cells = await page.locator('.hex .marked').all()
  return Promise.all(cells.map(async cell => Number(await cell.getAttribute('data-at'))))
}

const pairs = hexOf(plain).match(/../g) ?? []

const pasted: Readonly<Record<string, readonly [text: string, format: string, version: number]>> = {
  hexadecimal: [hexOf(plain), 'hexadecimal', 2],
  'hexadecimal with colons': [pairs.join(':'), 'hexadecimal', 2],
  'a dump of xxd': [
    '00000000: 0d0a 0d0a 000d 0a51 5549 540a 2111 000c  .......QUIT.!...\n00000010: c000 0201 c633 6407 dc04 01bb            .....3d.....',
    'a dump',
    2,
  ],
  base64: [Buffer.from(plain).toString('base64'), 'base64', 2],
  escapes: [
    `printf '\\r\\n\\r\\n\\0\\r\\nQUIT\\n${pairs
      .slice(12)
      .map(pair => `\\x${pair}`)
      .join('')}' | nc a 1`,
    'text with escapes',
    2,
  ],
  'a version 1 line': ['PROXY TCP4 192.0.2.1 198.51.100.7 56324 443', 'text', 1],
}

for (const [name, [text, format, version]] of Object.entries(pasted)) {
  test(`${name} that is pasted becomes fields`, async t => {
    const page = await open(t)
    await page.fill('#text', text)
    const bytes = version === 1 ? Buffer.from(line) : plain
    assert.equal(await page.textContent('#format'), `read as ${format}, ${bytes.length} bytes`)
    assert.equal(await page.textContent('#verdict strong'), `Version ${version}, PROXY`)
    assert.equal(await page.textContent('.ends'), '192.0.2.1:56324 → 198.51.100.7:443')
    assert.equal(await valueOf(page, 'source address'), '192.0.2.1')
    await isLinked(page, bytes)
  })
}

test('a link opens with its bytes, in any format, and another link in the same page too', async t => {
  const page = await open(t, `#${hexOf(plain)}`)
  assert.equal(await page.textContent('#verdict strong'), 'Version 2, PROXY')
  await follow(page, encodeURIComponent(line))
  await page.waitForSelector('#verdict strong:text-is("Version 1, PROXY")')
  await follow(page, '%E0%A4%A')
  await page.waitForSelector('#verdict.absent')
  await page.goto('about:blank')
  await page.goto(inspectorPage(plain))
  await page.reload()
  assert.equal(await valueOf(page, 'destination port'), '443')
})

test('a byte that is pointed at shows its field, and a field that is pointed at its bytes', async t => {
  const page = await open(
    t,
    `#${hexOf(encodeHeader({ source, destination, tlvs: [tlv.ssl({ version: 'TLSv1.3', cn: 'me' })] }))}`,
  )
  await page.hover('.hex [data-at="17"]')
  assert.equal(await page.textContent('#detail h2'), 'source address')
  assert.deepEqual(await marked(page), [16, 17, 18, 19])
  assert.equal(await page.textContent('#fields .marked .name'), 'source address')
  assert.match(
    (await page.textContent('#detail')) ?? '',
    /bytes 16 to 19.*c0 00 02 01.*192\.0\.2\.1.*The client.*section 2\.2$/s,
  )
  await page.hover('#fields .name:text-is("sslCn")')
  assert.deepEqual(await marked(page), [46, 47, 48, 49, 50])
  assert.equal(await page.textContent('#detail h2'), 'ssl › sslCn')
  await page.hover('.hex [data-at="49"]')
  assert.equal(await page.textContent('#detail h2'), 'ssl › sslCn › value')
  assert.equal(await page.textContent('#fields .marked .name'), 'sslCn')
  await page.hover('h1')
  assert.deepEqual(await marked(page), [])
})

test('the keyboard reaches every byte and every field, and digits change a byte', async t => {
  const page = await open(t, `#${hexOf(plain)}`)
  await page.focus('.hex [data-at="0"]')
  for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowLeft']) await page.keyboard.press(key)
  assert.equal(await page.textContent('#detail h2'), 'source address')
  await page.keyboard.type('0a0b')
  assert.equal(await valueOf(page, 'source address'), '192.10.11.1')
  assert.equal(await page.inputValue('#source'), '192.10.11.1')
  assert.equal(await page.getAttribute(':focus', 'data-at'), '19')
  await page.keyboard.press('End')
  assert.equal(await page.textContent('#detail h2'), 'destination port')
  await page.focus('#fields li')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  assert.equal(await page.textContent('#detail h2'), 'family, transport')
  await page.keyboard.press('ArrowUp')
  assert.deepEqual(await marked(page), [12])
})

test('proxyprotocol-echo --page shows a browser the header that the proxy before it has sent', async t => {
  const { page, faults } = await openPage(t)
  const echo = await start(t, runEcho, ['127.0.0.1:0', '--page'])
  const relay = await start(t, runServer, ['--service', '127.0.0.1:0', `127.0.0.1:${echo.ports[0]}`])
  await page.goto(`http://127.0.0.1:${relay.ports[0]}/`)
  assert.equal(await page.textContent('#verdict strong'), 'Version 2, PROXY')
  assert.match((await page.textContent('#input-title')) ?? '', /^Bytes with which this connection began$/)
  const [, sourceAddress = ''] = / source=(\S+) /.exec(await echo.io.line(/ connection /)) ?? []
  assert.ok((await page.textContent('.ends'))?.startsWith(`${sourceAddress} → 127.0.0.1:${relay.ports[0]}`))
  assert.ok((await namesOf(page)).includes('uniqueId'))
  assert.deepEqual(faults, [])
})

test('the certificate in the extension of the Python library is inflated by the browser, within bounds', async t => {
  const withCertificate = (peercert: object): string =>
    `#${hexOf(encodeHeader({ command: 'LOCAL', tlvs: [extensionTlv({ peercert: { ...peercert } })] }))}`
  const page = await open(t, withCertificate({ version: 3 }))
  await page.locator('#fields .value', { hasText: '{"version":3}' }).waitFor()
  await follow(page, withCertificate({ long: 'x'.repeat(65_536) }))
  await page.locator('#fields .value', { hasText: /^0x789c/ }).waitFor()
  await follow(page, withCertificate({ version: 5 }))
  await page.locator('#fields .value', { hasText: '{"version":5}' }).waitFor()
  const odd = tlv.extension([{ type: 3, value: Uint8Array.of(1, 2, 3) }])
  await follow(page, `#${hexOf(encodeHeader({ command: 'LOCAL', tlvs: [odd] }))}`)
  await page.locator('#fields .value', { hasText: /^0x010203$/ }).waitFor()
})
