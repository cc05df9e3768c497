// The status page in a browser, in front of the real program with real connections: what it shows, and how it stays true.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import type { StatsDocument } from '../../src/figures/index.ts'
import { ask } from '../support/http.ts'
import { cells, relayed, row, startStage } from '../support/status-page.ts'
import { dial, outcome } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'

test('it shows a connection with its ways while it is there, counts it, and lets it go', async t => {
  const harness = await startStage(t)
  const { page, faults, upstream } = harness
  await page.getByText('There is none at the moment.').waitFor()
  const client = await relayed(t, harness)
  const line = row(page, 'connections', '192.0.2.77:1234')
  await line.filter({ hasText: '2 B' }).waitFor()
  const { Age: age, ...shown } = await cells(line)
  assert.match(age ?? '', /^\d+ s$/)
  assert.deepEqual(shown, {
    Peer: `127.0.0.1:${String(client.localPort)}`,
    Source: '192.0.2.77:1234',
    'Connected to': '192.0.2.88:443',
    Service: 'web',
    Upstream: `127.0.0.1:${upstream.port}`,
    TLS: '',
    State: 'open',
    Up: '5 B',
    Down: '2 B',
  })
  const service = row(page, 'services', 'sends v2').first()
  await service.filter({ hasText: '2 B' }).waitFor()
  const { State, Now, Most, Limit, Total, Up } = await cells(service)
  assert.deepEqual(
    { State, Now, Most, Limit, Total, Up },
    {
      ...{ State: 'listening', Now: '1', Most: '1', Limit: '50', Total: '1', Up: '5 B' },
    },
  )
  await page.getByText('1 open').waitFor()
  client.resetAndDestroy()
  await line.waitFor({ state: 'detached' })
  await page.getByText('0 open').waitFor()
  await page.getByRole('img', { name: /^Errors in the last minute: [01]\/s now, at most 1\/s/ }).waitFor()
  assert.match(await page.title(), /^ready – /)
  assert.deepEqual(faults, [])
})

test('an upstream that is down is said in words, at its row and at the top', async t => {
  const harness = await startStage(t)
  const { page, faults } = harness
  assert.equal(await page.locator('#trouble').getByText(/^web:/).count(), 0)
  for (let i = 0; i < 4; i++) await relayed(t, harness)
  const dead = row(page, 'services', 'dead')
  await dead.getByText('down').waitFor()
  const shown = await cells(dead)
  assert.deepEqual([shown['State'], shown['Errors']], ['down', '1'])
  assert.match(shown['Last failure'] ?? '', /^connect_refused \d+ s ago$/)
  await page.locator('#trouble').getByText('web: upstream dead is down (connect_refused)').waitFor()
  assert.equal((await cells(row(page, 'services', 'alive')))['State'], 'up')
  assert.deepEqual(await row(page, 'services', 'spare').locator('.badge:visible').allTextContents(), [
    'up',
    'backup',
  ])
  await page.getByLabel('only those in trouble').check()
  await page.getByText('1 service filtered out').waitFor()
  assert.equal(await row(page, 'services', 'expects none').count(), 0)
  assert.deepEqual(faults, [])
})

test('where nothing is wrong it says so', async t => {
  const { page, admin } = await startStage(t)
  const document = JSON.parse((await ask(admin, '/stats.json')).body) as StatsDocument
  const eventLoopDelay = { p50: 0, p99: 0, max: 0 } // the machine of the test may be a busy one
  const event = `data: ${JSON.stringify({ ...document, process: { ...document.process, eventLoopDelay } })}\n\n`
  await page.route('**/events', route => route.fulfill({ contentType: 'text/event-stream', body: event }))
  await page.reload()
  await page.getByText('none: 2 services listening, 4 upstreams up, no error in the last minute').waitFor()
})

test('errors are shown by reason, in all and in the last minute', async t => {
  const harness = await startStage(t)
  const { page, ports, faults } = harness
  await outcome(dial(t, ports[0] ?? 0).end('GET / HTTP/1.1\r\n\r\n'))
  await page.locator('#trouble').getByText('web: 1 error in the last minute').waitFor()
  const { Errors, 'By reason': reasons } = await cells(row(page, 'services', 'sends v2').first())
  assert.deepEqual([Errors, reasons], ['1 1 in 60 s', 'header_missing 1'])
  assert.deepEqual(faults, [])
})

test('a client that was turned away is shown with the reason and what to do, and the last three at first', async t => {
  const { page, ports, faults } = await startStage(t)
  const table = page.getByRole('table', { name: 'Turned away last' })
  assert.equal(await table.isVisible(), false)
  for (let i = 0; i < 4; i++) await outcome(dial(t, ports[0] ?? 0).end('GET / HTTP/1.1\r\n\r\n'))
  await page.getByRole('button', { name: 'show all 4' }).click()
  const lines = table.locator('tbody tr')
  assert.equal(await lines.count(), 4)
  await page.getByRole('button', { name: 'show 3' }).click()
  assert.equal(await lines.count(), 3)
  const { Client, When, ...shown } = await cells(lines.first())
  assert.match(Client ?? '', /^127\.0\.0\.1:\d+$/)
  assert.match(When ?? '', /^\d+ s ago$/)
  assert.deepEqual([shown['Service'], shown['Reason']], ['web', 'header_missing'])
  assert.match(
    shown['What to do'] ?? '',
    /^Let this peer send the header, or connect through the load balancer\. .*does not start with a PROXY/,
  )
  assert.deepEqual(faults, [])
})

test('draining is shown while the last connections end, and then that the listener is gone', async t => {
  const harness = await startStage(t)
  const { page, faults } = harness
  const client = await relayed(t, harness)
  await row(page, 'connections', '192.0.2.77').waitFor()
  const stopped = harness.stop()
  await page.locator('#trouble').getByText('draining: 1 connection left').waitFor()
  assert.equal(await page.locator('#state').textContent(), 'draining')
  assert.equal((await cells(row(page, 'services', 'sends v2').first()))['State'], 'draining')
  assert.equal(await page.getByRole('alert').isVisible(), false)
  client.resetAndDestroy()
  await stopped
  const alert = page.getByRole('alert')
  await alert.waitFor()
  assert.match(
    await alert.innerText(),
    /^No connection to the admin listener\. It was draining: it may have ended\. What you see is from \d\d:\d\d:\d\d, /,
  )
  assert.match(await page.title(), /^lost – /)
  for (const fault of faults) assert.match(fault, /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING/)
})

test('a listener that falls silent is lost, and is found again by itself', async t => {
  const harness = await startStage(t)
  const { page } = harness
  let isSilent = false
  const sockets = new Set<Socket>()
  const middle = createServer(near => {
    sockets.add(near.on('error', () => {}))
    if (isSilent) return
    const far = connect(harness.admin, '127.0.0.1').on('error', () => {})
    sockets.add(far)
    near.pipe(far).pipe(near)
  }).listen(0, '127.0.0.1')
  await once(middle, 'listening')
  atEnd(t, () => {
    middle.close()
    for (const socket of sockets) socket.destroy()
  })
  await page.goto(`http://127.0.0.1:${(middle.address() as AddressInfo).port}/`)
  await page.locator('html[data-connection=live]').waitFor()
  isSilent = true
  for (const socket of sockets) socket.unpipe().pause()
  await page.getByText('No connection to the admin listener.').waitFor()
  isSilent = false
  await page.locator('html[data-connection=live]').waitFor()
  assert.equal(await page.getByRole('alert').isVisible(), false)
})

test('the fifth page takes the place of the first, which says so and can take it back', async t => {
  const { page, admin, faults } = await startStage(t)
  for (let i = 0; i < 4; i++) {
    const other = await page.context().browser()?.newPage()
    assert.ok(other)
    await other.goto(`http://127.0.0.1:${admin}/`)
    await other.locator('html[data-connection=live]').waitFor()
  }
  await page.getByText('Other pages were opened').waitFor()
  await page.getByRole('button', { name: 'Try now' }).click()
  await page.locator('html[data-connection=live]').waitFor()
  assert.deepEqual(faults, [])
})

test('a hidden page lets go of its stream, and takes it up again when it is seen', async t => {
  const { page, admin } = await startStage(t)
  await page.clock.install()
  await page.goto(`http://127.0.0.1:${admin}/`)
  await page.locator('html[data-connection=live]').waitFor()
  const show = async (isHidden: boolean): Promise<void> => {
    await page.evaluate(
      `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true })`,
    )
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
  }
  await show(true)
  await page.clock.runFor(31_000)
  await page.getByText('Paused, as the page was hidden.').waitFor()
  await show(false)
  await page.locator('html[data-connection=live]').waitFor()
})
