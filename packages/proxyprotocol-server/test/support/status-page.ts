// The real program in front of a browser that shows its status page.

import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { encodeHeader } from 'proxyprotocol'
import { closedPort } from 'test-support/sockets'
import { runServer } from '../../src/cli/index.ts'
import { openPage, type OpenPage, type PageOptions } from './browser.ts'
import { configFile } from './config-file.ts'
import { start, type Running } from './program.ts'
import { chunk, dial, listen, type Listener } from './connections.ts'

export interface Harness extends Running, OpenPage {
  readonly upstream: Listener
  readonly admin: number
}

/** A program with a service that expects headers and has two upstreams, one of them dead, and its page. */
export async function startStage(t: TestContext, options?: PageOptions): Promise<Harness> {
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
export async function relayed(
  t: TestContext,
  { ports, upstream }: Harness,
  address = '192.0.2.77',
): Promise<Socket> {
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

export function row(
  page: Page,
  table: 'services' | 'connections',
  name: string,
): ReturnType<Page['locator']> {
  return page.locator(`#${table} tbody tr`).filter({ hasText: name })
}

/** What stands in a row's cells, by the heads of the columns. */
export async function cells(line: ReturnType<Page['locator']>): Promise<Record<string, string>> {
  const all = await line.locator('th, td').all()
  const pairs = await Promise.all(
    all.map(async cell => [
      (await cell.getAttribute('data-label')) ?? '',
      (await cell.innerText()).replaceAll('\n', ' '),
    ]),
  )
  return Object.fromEntries(pairs) as Record<string, string>
}
