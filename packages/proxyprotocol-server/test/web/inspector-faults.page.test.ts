// The inspector shows what is wrong with bytes, and nothing from the network becomes markup.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { encodeHeader, tlv, type InetInit } from 'proxyprotocol'
import { source, destination, plain, open, bytesIn, formOf, valueOf } from '../support/inspector.ts'

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

async function follow(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
}

function ends(from: string, to: string): Pick<InetInit, 'source' | 'destination'> {
  return { source: { address: from, port: 56324 }, destination: { address: to, port: 443 } }
}

async function namesOf(page: Page): Promise<readonly string[]> {
  return page.locator('#fields .name').allTextContents()
}

test('a datagram of Simple Proxy Protocol is explained, and its ports are shown', async t => {
  const page = await open(t)
  await page.click('#examples button:text-is("Cloudflare Spectrum, UDP")')
  const verdict = (await page.textContent('#verdict')) ?? ''
  assert.equal(verdict, 'Simple Proxy Protocol192.0.2.1:5353 → 198.51.100.7:53, datagrams38 bytes of header')
  const names = ['signature', 'source address', 'destination address', 'source port', 'destination port']
  assert.deepEqual(await namesOf(page), names)
})

test('bad input shows the byte at fault, what was wanted there, and what it looks like', async t => {
  const page = await open(t)
  await page.fill('#text', 'PROXY TCP4 192.0.2.256 198.51.100.7 1 2')
  assert.equal(await page.textContent('#verdict strong'), 'A malformed header: v1_address at byte 21')
  assert.equal(await page.getAttribute('.hex .fault', 'data-at'), '21')
  assert.match((await page.textContent('#verdict')) ?? '', /Wantedan address must be four decimal octets/)
  await page.fill('#text', 'GET / HTTP/1.1\n')
  assert.match(
    (await page.textContent('#verdict')) ?? '',
    /^No header: byte 0 .*Gotthis looks like an HTTP request/,
  )
  await page.fill('#text', hexOf(plain.subarray(0, 20)))
  assert.match(
    (await page.textContent('#verdict')) ?? '',
    /^The start of a header.*Wantedat least 8 more bytes must follow$/,
  )
  await page.fill('#text', '0d0a0')
  assert.match(
    (await page.textContent('#format')) ?? '',
    /^read as hexadecimal, 2 bytes, but for a last digit/,
  )
  await page.fill('#text', '')
  assert.equal(await page.textContent('#verdict'), 'Paste a header, or take an example.')
})

test('a fault leaves the fields before it, and the form keeps them and what it had', async t => {
  const page = await open(t, `#${hexOf(plain)}`)
  await page.fill('#text', 'PROXY TCP4 203.0.113.9 198.51.100.256 1 2')
  assert.deepEqual(await namesOf(page), ['signature', 'protocol', 'source address'])
  await page.hover('.hex [data-at="12"]')
  assert.equal(await page.textContent('#detail h2'), 'source address')
  assert.deepEqual(await formOf(page), ['1', 'INET', '203.0.113.9', '56324', '198.51.100.7', '443'])
  await page.fill('#destination', '198.51.100.25')
  assert.equal(
    await bytesIn(page),
    hexOf(encodeHeader({ version: 1, ...ends('203.0.113.9', '198.51.100.25') })),
  )
})

test('what stands before a header, as in a captured packet, can be left out', async t => {
  const page = await open(t, `#${'4500'.repeat(20)}${hexOf(plain)}`)
  await page.click('#verdict button:text-is("Leave out the 40 bytes before the header")')
  assert.equal(await bytesIn(page), hexOf(plain))
})

test('text from the network stays text', async t => {
  const evil = '<img src=x onerror="document.title=1">\u202e\u0007'
  const tlvs = [tlv.authority(evil), tlv.ssl({ version: 'TLSv1.3', cn: evil })]
  const unix = { source: { path: `/${evil}` }, destination: { path: '/' } }
  const page = await open(t, `#${hexOf(encodeHeader({ ...unix, tlvs }))}`)
  const escaped = '<img src=x onerror="document.title=1">\\u{202e}\\u{7}'
  assert.equal(await valueOf(page, 'authority'), escaped)
  await page.hover('#fields .name:text-is("sslCn")')
  assert.equal(await page.textContent('#detail .says'), escaped)
  assert.equal(await page.textContent('.ends'), `/${escaped} → /`)
  assert.match(await page.inputValue('#tlv0'), /^0x3c696d67/)
  await follow(page, evil)
  await page.waitForSelector('#verdict.absent')
  assert.equal(await page.locator('img').count(), 0)
  assert.equal(await page.title(), 'PROXY protocol inspector')
})

test('a header of the greatest length shows its start', async t => {
  const tlvs = [{ type: 0xe5, value: new Uint8Array(65_500) }]
  const page = await open(t)
  await page.fill('#text', hexOf(encodeHeader({ source, destination, tlvs })))
  assert.equal(await page.locator('.hex [data-at]').count(), 2_048)
  assert.match((await page.textContent('#grid .help')) ?? '', /^and 63483 bytes more$/)
})
