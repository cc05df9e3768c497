// What the status page says of services of datagrams.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminServer } from '../../src/admin/index.ts'
import { Tally } from '../../src/relay/datagrams/tally.ts'
import { adminSource } from '../support/admin.ts'
import { openPage } from '../support/browser.ts'
import { serviceFigures } from '../support/figures.ts'
import { cells, row } from '../support/status-page.ts'
import { atEnd } from '../support/teardown.ts'

test('a service of UDP shows flows, datagrams and drops by reason in place of connections', async t => {
  const ended = { idle: 7, replied: 2 } as never // the page does not show them
  const { dropped, ...counted } = new Tally().figures({ opened: 21, active: 19, confirmed: 3, ended })
  const datagrams = {
    ...{ ...counted, received: 50, accepted: 44, dropped: { ...dropped, untrusted: 2, oversize: 4 } },
    ...{ up: { datagrams: 30, bytes: 3_000 }, down: { datagrams: 14, bytes: 1_400 }, kernelDrops: 5 },
  }
  const services = [serviceFigures('dns', { limits: { flows: 20 }, datagrams }), serviceFigures('web')]
  const admin = new AdminServer(adminSource({ services: () => services }), { onError: assert.ifError })
  atEnd(t, () => admin.close())
  const { port } = await admin.listen({ port: 0 })
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, faults } = await openPage(t, { colorScheme })
    await page.goto(`http://127.0.0.1:${port}/`)
    await page.locator('html[data-connection=live]').waitFor()
    await page.locator('#trouble').getByText('dns: 19 of 20 flows taken').waitFor()
    const line = row(page, 'services', 'dns').first()
    const { Now, Most, Limit, Waiting, Total, Up, Down, Errors, ...others } = await cells(line)
    assert.deepEqual(
      [Now, Most, Limit, Waiting, Total].map(cell => cell?.trim()),
      ['19', '', '20', '', '21'],
    )
    assert.deepEqual([Up, Down, Errors?.trim()], ['3.00 kB', '1.40 kB', '6'])
    assert.equal(others['By reason'], 'oversize 4, untrusted 2')
    assert.deepEqual(
      [others['New /s'], others['Traffic']].map(cell => cell?.trim()),
      ['', ''],
    )
    const said = await line.innerText()
    assert.match(said, /flows: 19 active, 3 confirmed, 21 opened/)
    assert.match(said, /datagrams: 50 received, 44 accepted, 30 up, 14 down; 5 dropped by the kernel/)
    assert.deepEqual(faults, [])
  }
})
