// What axe-core says of the pages, in their states.

import { test } from 'node:test'
import { encodeHeader, tlv } from 'proxyprotocol'
import { runEcho, runServer } from '../../src/cli/index.ts'
import { inspectorPage } from '../../src/cli/inspector-page.ts'
import { assertAccessible } from '../support/accessibility.ts'
import { start } from '../support/program.ts'
import { many, startStatus, troubled } from '../support/status-states.ts'

const states = { 'without a service': {}, 'in trouble': troubled, 'with much of everything': many }

for (const [name, shown] of Object.entries(states)) {
  test(`the status page ${name} has no fault that axe-core knows`, async t => {
    const port = await startStatus(t, shown)
    await assertAccessible(t, async page => {
      await page.goto(`http://127.0.0.1:${port}/`)
      await page.locator('html[data-connection=live]').waitFor()
    })
  })
}

test('the status page that has lost its listener has none', async t => {
  const port = await startStatus(t, troubled)
  await assertAccessible(t, async page => {
    await page.goto(`http://127.0.0.1:${port}/`)
    await page.locator('html[data-connection=live]').waitFor()
    await page.evaluate("document.documentElement.dataset.connection = 'lost'")
    await page.route('**/events', route => route.abort())
    await page.reload()
    await page.getByRole('alert').waitFor()
  })
})

const ends = {
  source: { address: '192.0.2.1', port: 56_324 },
  destination: { address: '198.51.100.7', port: 443 },
}
const ssl = tlv.ssl({ version: 'TLSv1.3', cn: 'Zoë', certOnConnection: true })
const header = Buffer.from(
  encodeHeader({ ...ends, tlvs: [tlv.authority('a.example'), ssl] }, { checksum: true }),
)
const inputs = {
  'an empty page': '',
  'a header with TLVs and payload': `${header.toString('hex')}474554`,
  'a version 1 header': 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n',
  'a malformed header': 'PROXY TCP4 192.0.2.256 198.51.100.7 56324 443\r\n',
  'a wrong checksum': `${header.toString('hex').slice(0, -2)}ff`,
}

for (const [name, text] of Object.entries(inputs)) {
  test(`the inspector with ${name} has no fault that axe-core knows`, async t => {
    await assertAccessible(t, async page => {
      await page.goto(inspectorPage())
      await page.fill('#text', text)
      if (text.startsWith('0d')) await page.focus('.hex [data-at="17"]')
    })
  })
}

test('the page of proxyprotocol-echo has none', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0', '--page'])
  const relay = await start(t, runServer, ['--service', '127.0.0.1:0', `127.0.0.1:${echo.ports[0]}`])
  await assertAccessible(t, page => page.goto(`http://127.0.0.1:${relay.ports[0]}/`))
})
