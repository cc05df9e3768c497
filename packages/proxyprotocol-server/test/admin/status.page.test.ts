// The status page in a browser, in front of the real program with real connections.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { encodeHeader } from 'proxyprotocol'
import { closeReasons } from 'proxyprotocol/server'
import {
  AdminServer,
  type AdminSource,
  type ConnectionView,
  type ServiceView,
} from '../../src/admin/index.ts'
import { runServer } from '../../src/cli/index.ts'
import { openPage, type OpenPage, type PageOptions } from '../support/browser.ts'
import { configFile } from '../support/config-file.ts'
import { start, type Running } from '../support/program.ts'
import { chunk, closedPort, dial, listen, outcome, type Listener } from '../support/sockets.ts'
import { atEnd } from '../support/teardown.ts'

interface Stage extends Running, OpenPage {
  readonly upstream: Listener
  readonly admin: number
}

const [MARKUP, MARKUP_TOO] = ['<img src=x onerror=alert(1)>', '<script>alert(2)</script>']

/** A program with a service that expects headers and has two upstreams, one of them dead, and its page. */
async function startStage(t: TestContext, options?: PageOptions): Promise<Stage> {
  const upstream = await listen(t)
  const upstreams = [
    { name: 'alive', address: `127.0.0.1:${upstream.port}`, weight: 3 },
    { name: 'dead', address: `127.0.0.1:${await closedPort()}` },
    { name: 'spare', address: `127.0.0.1:${upstream.port}`, backup: true },
  ]
  const web = { name: 'web', listen: '127.0.0.1:0?pp=detect', trust: ['127.0.0.1'], upstreams }
  const services = [
    { ...web, health: { fails: 1, cooldown: 1_000_000 }, limits: { connections: 50 } },
    { name: 'quiet', listen: '127.0.0.1:0', upstream: '127.0.0.1:1' },
  ]
  const file = configFile(t, { services, admin: { listen: '127.0.0.1:0' } })
  const running = await start(t, runServer, ['--config', file], { listeners: 2 })
  const [, port] = / admin address=127\.0\.0\.1:(\d+)/.exec(running.io.written.join('')) ?? []
  const opened = await openPage(t, options)
  await opened.page.goto(`http://127.0.0.1:${String(port)}/`)
  await opened.page.locator('html[data-connection=live]').waitFor()
  return { ...running, ...opened, upstream, admin: Number(port) }
}

/** A client of the service `web`, as soon as it is relayed: 5 bytes up and 2 down. */
async function relayed(t: TestContext, { ports, upstream }: Stage, address = '192.0.2.77'): Promise<Socket> {
  const client = dial(t, ports[0] ?? 0)
  const [source, destination] = [
    { address, port: 1234 },
    { address: '192.0.2.88', port: 443 },
  ]
  client.write(Buffer.concat([encodeHeader({ source, destination }), Buffer.from('hello')]))
  const far = await upstream.accept()
  await chunk(far)
  far.write('hi')
  await chunk(client)
  return client
}

function row(page: Page, table: 'services' | 'connections', name: string): ReturnType<Page['locator']> {
  return page.locator(`#${table} tbody tr`).filter({ hasText: name })
}

/** What stands in a row's cells, by the heads of the columns. */
async function cells(line: ReturnType<Page['locator']>): Promise<Record<string, string>> {
  const all = await line.locator('th, td').all()
  const pairs = await Promise.all(
    all.map(async cell => [
      (await cell.getAttribute('data-label')) ?? '',
      (await cell.innerText()).replaceAll('\n', ' '),
    ]),
  )
  return Object.fromEntries(pairs) as Record<string, string>
}

test('it shows a connection with its ways while it is there, counts it, and lets it go', async t => {
  const stage = await startStage(t)
  const { page, faults, upstream } = stage
  await page.getByText('There is none at the moment.').waitFor()
  const client = await relayed(t, stage)
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
  assert.match(await page.title(), /^ready – /)
  assert.deepEqual(faults, [])
})

test('an upstream that is down is said in words, at its row and at the top', async t => {
  const stage = await startStage(t)
  const { page, faults } = stage
  await page.getByText('none: 2 services listening, 4 upstreams up').waitFor()
  for (let i = 0; i < 4; i++) await relayed(t, stage)
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

test('errors are shown by reason, in all and in the last minute', async t => {
  const stage = await startStage(t)
  const { page, ports, faults } = stage
  await outcome(dial(t, ports[0] ?? 0).end('GET / HTTP/1.1\r\n\r\n'))
  await page.locator('#trouble').getByText('web: 1 error in the last minute').waitFor()
  const { Errors, 'By reason': reasons } = await cells(row(page, 'services', 'sends v2').first())
  assert.deepEqual([Errors, reasons], ['1 1 in 60 s', 'header_missing 1'])
  assert.deepEqual(faults, [])
})

test('draining is shown while the last connections end, and then that the listener is gone', async t => {
  const stage = await startStage(t)
  const { page, faults } = stage
  const client = await relayed(t, stage)
  await row(page, 'connections', '192.0.2.77').waitFor()
  const stopped = stage.stop()
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
  const stage = await startStage(t)
  const { page } = stage
  let isSilent = false
  const sockets = new Set<Socket>()
  const middle = createServer(near => {
    sockets.add(near.on('error', () => {}))
    if (isSilent) return
    const far = connect(stage.admin, '127.0.0.1').on('error', () => {})
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

test('a page that nobody sees lets go of its stream, and takes it up again when it is seen', async t => {
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

test('markup from the network and from configured names is shown as the text it is', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'proxyprotocol-'))
  atEnd(t, () => {
    rmSync(folder, { recursive: true })
  })
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

/** Many services, one of them with many connections, behind a listener of their own. */
async function startMany(t: TestContext): Promise<number> {
  const totals = {
    ...{ accepted: 1_500, active: 1_500, pending: 0, bytesUp: 0, bytesDown: 0, headers: [] },
    closed: Object.fromEntries(closeReasons.map(reason => [reason, 0])) as never,
    connects: { bounds: [1], counts: [0, 0], sum: 0 },
    ages: { bounds: [1], counts: [0, 0], sum: 0 },
  }
  const connections: ConnectionView[] = Array.from({ length: 1_500 }, (_, i) => ({
    ...{ id: String(i), state: 'open', peer: { address: '10.0.0.1', port: 20_000 + i }, reason: undefined },
    source: { address: `2001:db8::${i.toString(16)}`, port: 40_000 },
    destination: { address: '2001:db8::443', port: 443 },
    upstream: { address: '192.0.2.1', port: 80 },
    tls: { version: 'TLSv1.3', serverName: i % 2 === 0 ? 'even.example' : 'odd.example' },
    ...{ age: (1_500 - i) * 1_000, bytesUp: i, bytesDown: 2 * i },
  }))
  const services = Array.from({ length: 50 }, (_, i): ServiceView => ({
    ...{ name: `tenant-${i + 1}`, address: `[2001:db8::1]:${10_000 + i}`, upstream: 'pool', sends: 'v2' },
    ...{ expects: undefined, trust: [], state: 'listening', timeouts: {}, dnsbl: undefined },
    limits: { connections: 1_600 },
    totals: () => (i === 0 ? totals : { ...totals, accepted: 0, active: 0 }),
    connections: () => (i === 0 ? connections : []),
    upstreams: () => [
      ...[{ name: 'a', address: '192.0.2.1:80', weight: 1, backup: false, state: 'up' }].map(each => {
        return { ...each, active: 0, total: 0, failures: 0 }
      }),
    ],
  }))
  const source: AdminSource = {
    ...{ version: '1.2.3', readiness: () => 'ready', services: () => services, lostLogLines: () => 7 },
  }
  const admin = new AdminServer(source, { onError: error => assert.fail(String(error)) })
  atEnd(t, () => admin.close())
  return (await admin.listen({ port: 0 })).port
}

test('fifty services and a thousand connections are shown, filtered and sorted, by keyboard too', async t => {
  const port = await startMany(t)
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

test('on a narrow screen nothing runs out of it, and tables are still tables to a screen reader', async t => {
  const port = await startMany(t)
  for (const width of [360, 800, 1280]) {
    const { page, faults } = await openPage(t, { width })
    await page.goto(`http://127.0.0.1:${port}/`)
    await page.locator('#connections tbody tr').first().waitFor()
    const overflow = await page.evaluate<number[]>(
      "[document.documentElement, ...document.querySelectorAll('.scroll')].map(each => each.scrollWidth - each.clientWidth)",
    )
    assert.deepEqual(overflow, [0, 0, 0], `at ${width}`)
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
