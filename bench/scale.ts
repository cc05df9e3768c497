// What many services, routes and members cost a program: `npm run bench:scale`.
//
//   node --import tsx bench/scale.ts [--rounds N] [--node LINE] [--priority]
//
// Each row starts the program anew. `--priority` gives it and the messages real-time priority, on a machine that does other things.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { nodeBinary, versionOf } from '../scripts/runtimes.js'
import { checkouts, commonOptions } from './checkouts.ts'
import { lineOf, longestWhile, portIn } from './stalls/running.ts'

const SERVICES = 1_000
const ROUTES = 10_000
const MEMBERS = 10_000
/** The most upstreams of one service. */
const OF_SERVICE = 1_000

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    priority: { type: 'boolean', default: false },
    ...commonOptions,
  },
})
const node = nodeBinary(values.node)
const config = join(tmpdir(), `scale-${String(process.pid)}.json`)
const program = String(checkouts(undefined)[0]?.server)

if (values.priority) prioritise(process.pid)
console.log(`Node ${versionOf(node)}, worst of ${values.rounds} rounds\n`)
console.log('| | target | measured |\n| --- | --- | --- |')
row(`${String(SERVICES)} services start`, '5 s', seconds(await worst(start)))
for (const services of [100, 1]) {
  const [reload, stall] = await reloading(services)
  row(`${String(ROUTES)} routes of ${String(services)} services are reloaded`, '2 s', seconds(reload))
  row('the longest message meanwhile', '50 ms', `${stall.toFixed(0)} ms`)
}
row(`${String(MEMBERS)} members in memory`, '150 MB', `${((await memory()) / 1e6).toFixed(0)} MB`)
rmSync(config)

function row(what: string, target: string, measured: string): void {
  console.log(`| ${what} | ${target} | ${measured} |`)
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`
}

async function worst(measure: () => Promise<number>): Promise<number> {
  let most = 0
  for (let round = 0; round < Number(values.rounds); round++) most = Math.max(most, await measure())
  return most
}

/** Milliseconds until the last service listens. */
async function start(): Promise<number> {
  const services = Array.from({ length: SERVICES }, (_, at) => serviceTo(9, { name: `s${String(at)}` }))
  return running({ services }, ({ took }) => Promise.resolve(took))
}

/** Milliseconds of a reload, and of the longest message while it runs. */
async function reloading(services: number): Promise<readonly [number, number]> {
  const messages = new Worker(new URL('stalls/messages.js', import.meta.url))
  const [upstream] = (await once(messages, 'message')) as [AddressInfo] // as bench/stalls/messages.js says first
  const routesTo = (port: number): { readonly services: readonly object[] } => ({
    services: [
      serviceTo(upstream.port, {}),
      ...Array.from({ length: services }, (_, at) => withRoutes(ROUTES / services, `tls${String(at)}`, port)),
    ],
  })
  try {
    return await running(routesTo(9), async ({ server, lines, port }) => {
      messages.postMessage(port)
      await pause(2_000)
      let longestReload = 0
      let round = 10
      const longest = await longestWhile(messages, Number(values.rounds), async () => {
        writeFileSync(config, JSON.stringify(routesTo(round++)))
        const from = performance.now()
        const reloaded = lineOf(lines, 'reloaded')
        server.kill('SIGHUP')
        await reloaded
        longestReload = Math.max(longestReload, performance.now() - from)
      })
      await messages.terminate() // before the program is killed, which resets its connection
      return [longestReload, longest]
    })
  } finally {
    await messages.terminate()
  }
}

function withRoutes(count: number, name: string, port: number): object {
  const routes = Array.from({ length: count }, (_, at) => ({
    names: [`t${String(at)}.example`],
    upstreams: [{ address: `127.0.0.1:${String(port)}?pp=noop`, name: `u${String(at)}` }],
  }))
  return serviceTo(9, { name, passthrough: { routes } })
}

/** Bytes of the process that are in use. */
function memory(): Promise<number> {
  const services = Array.from({ length: MEMBERS / OF_SERVICE }, (_, at) =>
    serviceTo(9, {
      name: `s${String(at)}`,
      upstream: undefined,
      upstreams: Array.from(
        { length: OF_SERVICE },
        (_, n) => `10.${String(at)}.${String(n >> 8)}.${String(n & 255)}:80`,
      ),
    }),
  )
  return running({ services }, async ({ server }) => {
    await pause(2_000)
    const [, kilobytes] =
      /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(server.pid)}/status`, 'utf8')) ?? []
    return Number(kilobytes) * 1_024
  })
}

interface Running {
  readonly server: ChildProcess
  readonly lines: Interface
  /** Of the first service. */
  readonly port: number
  readonly took: number
}

async function running<T>(
  configuration: { readonly services: readonly object[] },
  use: (running: Running) => Promise<T>,
): Promise<T> {
  writeFileSync(config, JSON.stringify(configuration))
  const from = performance.now()
  const server = spawn(node, [program, '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] })
  if (values.priority) prioritise(server.pid)
  const lines = createInterface(server.stdout)
  try {
    const first = await listening(lines, configuration.services.length)
    return await use({ server, lines, port: portIn(first), took: performance.now() - from })
  } finally {
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
}

/** The first of so many lines, which come at once. */
function listening(lines: Interface, count: number): Promise<string> {
  return new Promise(resolve => {
    const seen: string[] = []
    lines.on('line', line => {
      if (line.includes(' listening ') && seen.push(line) === count) resolve(String(seen[0]))
    })
  })
}

function serviceTo(port: number, rest: object): object {
  return { name: 'web', listen: '127.0.0.1:0', upstream: `127.0.0.1:${String(port)}?pp=noop`, ...rest }
}

function prioritise(pid: number | undefined): void {
  spawn('chrt', ['--all-tasks', '--fifo', '--pid', '1', String(pid)], { stdio: 'inherit' })
}
