// A program with two workers: what a test says to it, and what it sees of it from outside.

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { content, until } from 'test-support/sockets'
import { atOnce } from './at-once.ts'
import { pathOf, portIn, runCommand, type Child } from './child.ts'
import { ask } from './http.ts'
import { chunk, dial } from './connections.ts'
import type { Upstream } from './upstream.ts'

/** From its sources, which makes the coverage of all of its processes count. */
export const PROGRAM = [
  ...[process.execPath, '--import', 'tsx'],
  pathOf('packages/proxyprotocol-server/test/support/server-program.ts'),
]
export const CONNECTIONS = 300
/** Lines of 300 bytes each: more than a pipe holds several times over, and less than the workers keep. */
export const LOGGED = 2_000
/** Connections at the same time: more than one worker takes before the other has its turn. */
export const WIDTH = 50

export interface Program {
  readonly child: Child
  readonly port: number
  readonly adminPort: number
  /** The process of a worker, by the line about its start: the first of that number unless told otherwise. */
  readonly pid: (worker: number, which?: number) => Promise<number>
}

/** The program with two workers, and an admin listener, when all of it runs. */
export async function startWorkers(t: TestContext, args: readonly string[]): Promise<Program> {
  const child = runCommand(t, [...[...PROGRAM, '--workers', '2', '--admin', '127.0.0.1:0', ...args]])
  const port = portIn(await child.line(/ listening /))
  const adminPort = portIn(await child.line(/ admin /))
  const starts = (worker: number): readonly string[] =>
    [...child.output().matchAll(new RegExp(` worker-started worker=${worker} pid=(\\d+)\n`, 'g'))].map(
      ([, pid = '']) => pid,
    )
  const pid = async (worker: number, which = 0): Promise<number> => {
    await child.until(() => starts(worker).length > which)
    return Number(starts(worker)[which])
  }
  await Promise.all([pid(1), pid(2)])
  while ((await ask(adminPort, '/readyz')).status !== 200);
  return { child, port, adminPort, pid }
}

export function serviceTo({ port }: Pick<Upstream, 'port'>): readonly string[] {
  return ['--service', '127.0.0.1:0', `127.0.0.1:${port}?pp=noop`]
}

/** Connections whose bytes come back. */
export async function serve(t: TestContext, port: number, count: number): Promise<void> {
  await atOnce(count, WIDTH, async n => {
    const text = `hello ${n}`
    assert.equal(String(await content(dial(t, port).end(text))), text)
  })
}

/** An open connection whose bytes have come back once. */
export async function open(t: TestContext, port: number): Promise<Socket> {
  const socket = dial(t, port)
  socket.write('early')
  assert.equal(String(await chunk(socket)), 'early')
  return socket
}

/** The values of a metric, by their labels. */
export async function metric(adminPort: number, name: string): Promise<Readonly<Record<string, number>>> {
  const { body } = await ask(adminPort, '/metrics')
  const values = body.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))
  return Object.fromEntries([...values].map(([, labels = '', value]) => [labels, Number(value)]))
}

export async function counted(adminPort: number, name: string): Promise<number> {
  return Object.values(await metric(adminPort, name)).reduce((sum, value) => sum + value, 0)
}

export async function ready(adminPort: number): Promise<unknown> {
  const { status, body } = await ask(adminPort, '/readyz')
  return [status, (JSON.parse(body) as { status: string }).status]
}

export async function endsWell(child: Child): Promise<void> {
  child.send('SIGTERM')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  await until(() => !child.isAlive()) // no worker is left
}

/** The lines about connections, whole ones. */
export function closedLines(child: Child): readonly string[] {
  return child.output().match(/^\S+ closed id=\S+ .* reason=done .* ms=\S+$/gm) ?? []
}
