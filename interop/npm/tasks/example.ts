// The examples of docs/tasks, run as their readers run them: each in a process of its own, with other ports.

import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

const pages = join(import.meta.dirname, '../../../docs/tasks')
const programs = join(import.meta.dirname, '../node_modules/.tasks')
const announce = new URL('announce.js', import.meta.url).href

/** An example as it stands on its page. */
export interface Example {
  readonly name: string
  readonly code: string
}

export type Check = (t: TestContext, example: Example) => Promise<void>

export interface StartOptions {
  /** Texts of the example, with what they become here. */
  readonly replace?: Readonly<Record<string, string | number>>
  readonly register?: boolean
}

export interface Running {
  readonly child: ChildProcess
  /** The port of the next server that listens. */
  readonly port: () => Promise<number>
  /** The next line that it prints. */
  readonly line: () => Promise<string>
}

/** The pages that the index does not link. */
export function unlinkedPages(): string[] {
  const index = readFileSync(join(pages, 'README.md'), 'utf8')
  return readdirSync(pages).filter(page => page !== 'README.md' && !index.includes(`](${page})`))
}

/** All examples of the pages, by page and number. */
export function examples(): Example[] {
  return readdirSync(pages).flatMap(page => {
    const text = readFileSync(join(pages, page), 'utf8')
    const blocks = [...text.matchAll(/^```js (?:run|npm)\n(.*?)^```$/gms)]
    return blocks.map(([, code = ''], index) => ({ name: `${page} ${index + 1}`, code }))
  })
}

/** Starts an example until the test ends. */
export function start(t: TestContext, { name, code }: Example, options: StartOptions = {}): Running {
  const { replace = {}, register = false } = options
  mkdirSync(programs, { recursive: true })
  const file = join(programs, `${name.replace(' ', '-')}.mjs`)
  writeFileSync(file, replaceAll(code, replace))
  const registered = register ? ['--import', import.meta.resolve('proxyprotocol/register')] : []
  const child = fork(file, {
    execArgv: ['--import', announce, ...registered],
    env: { ...process.env, PROXYPROTOCOL_TRUST: '127.0.0.1', PROXYPROTOCOL_PORTS: 'all' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  t.after(() => child.kill('SIGKILL'))
  return { child, port: queue(child), line: linesOf(child) }
}

/** Runs an example to its end, which must be a good one. */
export async function run(t: TestContext, example: Example, options?: StartOptions): Promise<void> {
  const { child } = start(t, example, options)
  child.stdout?.resume()
  assert.deepEqual(await once(child, 'exit'), [0, null])
}

function replaceAll(code: string, replace: Readonly<Record<string, string | number>>): string {
  return Object.entries(replace).reduce((text, [from, to]) => {
    assert.ok(text.includes(from), `${from} is not in the example`)
    return text.replaceAll(from, String(to))
  }, code)
}

function linesOf({ stdout }: ChildProcess): () => Promise<string> {
  assert.ok(stdout)
  const lines = createInterface(stdout)[Symbol.asyncIterator]()
  return async () => String((await lines.next()).value)
}

/** Ports may be announced before they are asked for. */
function queue(child: ChildProcess): () => Promise<number> {
  const known: number[] = []
  child.on('message', ({ port }: AddressInfo) => {
    known.push(port)
    child.emit('port')
  })
  return async () => {
    while (known.length === 0) await once(child, 'port')
    return Number(known.shift())
  }
}
