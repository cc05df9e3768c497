// The form of the inspector: what is edited there gives bytes, and what it keeps.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { encodeHeader, tlv, tlvType, type HeaderInit, type InetInit } from 'proxyprotocol'
import { source, destination, plain, open, bytesIn, formOf, valueOf } from '../support/inspector.ts'

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function ends(from: string, to: string): Pick<InetInit, 'source' | 'destination'> {
  return { source: { address: from, port: 56324 }, destination: { address: to, port: 443 } }
}

async function namesOf(page: Page): Promise<readonly string[]> {
  return page.locator('#fields .name').allTextContents()
}

test('what is edited gives the bytes of encodeHeader', async t => {
  const page = await open(t, `#${hexOf(plain)}`)
  const expected = async (header: HeaderInit): Promise<void> =>
    assert.equal(await bytesIn(page), hexOf(encodeHeader(header)))
  await page.fill('#source', '203.0.113.9')
  await page.fill('#sourcePort', '1')
  const ends = { source: { address: '203.0.113.9', port: 1 }, destination }
  await expected(ends)
  await page.selectOption('#transport', 'DGRAM')
  await expected({ ...ends, transport: 'DGRAM' })
  await page.selectOption('#tlv-add', String(tlvType.authority))
  await page.fill('#tlv0', 'example.org')
  await page.selectOption('#tlv-add', String(tlvType.checksum))
  await page.selectOption('#tlv-add', '229')
  await page.fill('#tlv2', '0x01 02')
  await page.fill('#tlv2-type', '0xe6')
  const tlvs = [
    tlv.authority('example.org'),
    { type: 3, value: new Uint8Array(4) },
    { type: 0xe6, value: Uint8Array.of(1, 2) },
  ]
  await expected({ ...ends, transport: 'DGRAM', tlvs })
  assert.match(await valueOf(page, 'checksum'), /, correct$/)
  await page.click('[aria-label="Remove authority"]')
  await expected({ ...ends, transport: 'DGRAM', tlvs: tlvs.slice(1) })
  await page.selectOption('#family', 'UNIX')
  await page.fill('#destination', '/run/b')
  const unix = { source: { path: '/run/client.sock' }, destination: { path: '/run/b' } }
  await expected({ ...unix, transport: 'DGRAM', tlvs: tlvs.slice(1) })
  await page.selectOption('#version', '1')
  await expected({ version: 1, family: 'UNSPEC' })
  await page.selectOption('#family', 'INET6')
  await expected({
    version: 1,
    source: { address: '2001:db8::1', port: 56324 },
    destination: { address: '2001:db8::7', port: 443 },
  })
  await page.selectOption('#version', '2')
  await page.selectOption('#command', 'LOCAL')
  await expected({ command: 'LOCAL', tlvs: tlvs.slice(1) })
  await page.selectOption('#command', 'PROXY')
  await expected({ source, destination, transport: 'DGRAM', tlvs: tlvs.slice(1) })
})

test('the parts of an SSL TLV are fields as well', async t => {
  const page = await open(t, `#${hexOf(plain)}`)
  await page.selectOption('#tlv-add', String(tlvType.ssl))
  await page.check('#tlv0-bit1')
  await page.selectOption('#tlv0-sub-add', String(tlvType.sslCn))
  await page.fill('#tlv0-sub1', 'Zoë')
  const ssl = tlv.ssl({ version: 'TLSv1.3', certOnConnection: true, clientVerified: true, cn: 'Zoë' })
  assert.equal(await bytesIn(page), hexOf(encodeHeader({ source, destination, tlvs: [ssl] })))
  await page.fill('#tlv0-verify', '7')
  assert.equal(await valueOf(page, 'verify'), '7, not verified')
  await page.click('[aria-label="Remove sslCn"]')
  assert.deepEqual((await namesOf(page)).slice(-2), ['verify', 'sslVersion'])
})

test('every example keeps its bytes when a field of it is set to what it is', async t => {
  const page = await open(t)
  const names = await page.locator('#examples button').allTextContents()
  let edited = 0
  for (const name of names) {
    await page.click(`#examples button:text-is("${name}")`)
    const before = await page.locator('.hex').allTextContents()
    const input = page.locator('#form input[type="text"]').first()
    if ((await page.getAttribute('#verdict', 'class')) !== 'verdict header' || (await input.count()) === 0)
      continue
    const value = await input.inputValue()
    await input.fill('')
    await input.fill(value)
    assert.equal(await bytesIn(page), before.join(''), name)
    edited++
  }
  assert.equal(edited, 4)
})

test('what cannot be encoded is said, and the bytes stay', async t => {
  const page = await open(t, `#${hexOf(plain)}`)
  const wrong: readonly (readonly [field: string, value: string, message: RegExp])[] = [
    ['#source', 'example.org', /^source\.address must be an IPv4 or IPv6 address/],
    ['#source', '::1', /^family is 'INET' but source\.address is IPv6/],
    ['#destinationPort', '', /^destination\.port must be an integer from 0 to 65535, got ""/],
    ['#destinationPort', '65536', /^destination\.port must be/],
  ]
  for (const [field, value, message] of wrong) {
    const before = await page.inputValue(field)
    await page.fill(field, value)
    assert.match((await page.textContent('.problem')) ?? '', message)
    assert.equal(await bytesIn(page), hexOf(plain))
    await page.fill(field, before)
    assert.equal(await page.textContent('.problem'), '')
  }
  await page.selectOption('#tlv-add', '229')
  await page.fill('#tlv0', '0x1')
  assert.match((await page.textContent('.problem')) ?? '', /must have pairs of hexadecimal digits/)
  await page.fill('#tlv0', '')
  await page.fill('#tlv0-type', 'x')
  assert.match((await page.textContent('.problem')) ?? '', /type must be an integer from 0 to 255/)
})

test('a byte that makes a header malformed takes nothing from the form', async t => {
  const tlvs = [tlv.authority('a.example'), tlv.alpn('h2')]
  const page = await open(t, `#${hexOf(encodeHeader({ ...ends('2001:db8::9', '2001:db8::7'), tlvs }))}`)
  await page.focus('.hex [data-at="53"]') // the length of authority
  await page.keyboard.type('ff')
  assert.equal(await page.textContent('#verdict strong'), 'A malformed header: tlv_overrun at byte 52')
  assert.deepEqual((await namesOf(page)).slice(-2), ['source port', 'destination port'])
  assert.deepEqual(await formOf(page), ['2', 'INET6', '2001:db8::9', '56324', '2001:db8::7', '443'])
  assert.deepEqual([await page.inputValue('#tlv0'), await page.inputValue('#tlv1')], ['a.example', 'h2'])
  await page.fill('#tlv0', 'b.example')
  const mended = encodeHeader({
    ...ends('2001:db8::9', '2001:db8::7'),
    tlvs: [tlv.authority('b.example'), tlv.alpn('h2')],
  })
  assert.equal(await bytesIn(page), hexOf(mended))
})

test('the form keeps what it has while the bytes are no header at all, or end too soon', async t => {
  const page = await open(
    t,
    `#${hexOf(encodeHeader({ ...ends('192.0.2.9', '192.0.2.8'), transport: 'DGRAM' }))}`,
  )
  const kept = ['2', 'INET', '192.0.2.9', '56324', '192.0.2.8', '443']
  for (const text of ['GET / HTTP/1.1', hexOf(plain.subarray(0, 13)), hexOf(plain.subarray(0, 3)), '']) {
    await page.fill('#text', text)
    assert.deepEqual(await formOf(page), kept, text)
    assert.equal(await page.inputValue('#transport'), 'DGRAM', text)
  }
  await page.fill(
    '#text',
    hexOf(encodeHeader({ source: { path: '/run/a' }, destination: { path: '/run/b' } }).subarray(0, 130)),
  )
  assert.deepEqual(
    [
      await page.inputValue('#family'),
      await page.inputValue('#source'),
      await page.inputValue('#destination'),
    ],
    ['UNIX', '/run/a', '/run/app.sock'],
  )
})

test('a wrong checksum shows the right one, and takes it over', async t => {
  const right = encodeHeader({ source, destination }, { checksum: true })
  const wrong = right.slice()
  wrong.fill(0, 31)
  const page = await open(t, `#${hexOf(wrong)}`)
  assert.equal(await valueOf(page, 'checksum'), '0x00000000, wrong')
  assert.equal(await page.inputValue('#source'), '192.0.2.1')
  assert.match(
    (await page.textContent('#verdict')) ?? '',
    new RegExp(`Wantedthe CRC-32C checksum must be 0x${hexOf(right.subarray(31))}, got 0x00000000`),
  )
  await page.click('#verdict button')
  assert.equal(await bytesIn(page), hexOf(right))
  assert.match(await valueOf(page, 'checksum'), /, correct$/)
})
