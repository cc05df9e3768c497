// The inspector's page in a browser: what is pasted, edited and linked, and what it says of it.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { encodeHeader, tlv, tlvType, type HeaderInit, type InetInit } from 'proxyprotocol'
import { extensionTlv } from 'proxyprotocol/server'
import { runEcho, runServer } from '../../src/cli/index.ts'
import { inspectorPage } from '../../src/cli/inspector-page.ts'
import { openPage, type PageOptions } from '../support/browser.ts'
import { start } from '../support/program.ts'

const source = { address: '192.0.2.1', port: 56324 }
const destination = { address: '198.51.100.7', port: 443 }
const line = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'
const plain = encodeHeader({ source, destination })

/** The page from the disk; whatever goes wrong in it fails the test, violations of its policy among it. */
async function open(t: TestContext, hash = '', options: PageOptions = {}): Promise<Page> {
  const { page, faults } = await openPage(t, options)
  t.after(() => assert.deepEqual(faults, []))
  await page.goto(inspectorPage() + hash)
  return page
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Waits until the page's address has these bytes, and nothing else. */
async function isLinked(page: Page, bytes: Uint8Array): Promise<void> {
  await page.waitForURL(({ hash }) => hash === `#${hexOf(bytes)}`)
}

/** What was changed other than by pasting stands in the place of what was pasted. */
function bytesIn(page: Page): Promise<string> {
  return page.inputValue('#text')
}

async function follow(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
}

/** As WCAG has it, of `#rrggbb`. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[0-9a-f]{2}/gi) ?? []).map(pair => {
    const part = Number.parseInt(pair, 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function ends(from: string, to: string): Pick<InetInit, 'source' | 'destination'> {
  return { source: { address: from, port: 56324 }, destination: { address: to, port: 443 } }
}

/** Version, family and both ends, as the form has them. */
function formOf(page: Page): Promise<readonly string[]> {
  const inputs = ['version', 'family', 'source', 'sourcePort', 'destination', 'destinationPort']
  return Promise.all(inputs.map(id => page.inputValue(`#${id}`)))
}

async function namesOf(page: Page): Promise<readonly string[]> {
  return page.locator('#fields .name').allTextContents()
}

async function valueOf(page: Page, name: string): Promise<string> {
  const row = page.locator('#fields li', { has: page.locator(`.name:text-is("${name}")`) })
  return (await row.locator('.value').textContent()) ?? ''
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
