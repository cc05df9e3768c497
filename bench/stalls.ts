// How long a program with many services keeps relayed messages waiting: `npm run bench:stalls`.
//
//   node --import tsx bench/stalls.ts [--services N] [--rounds N] [--beside FOLDER] [--node LINE]
//
// A message goes through one of the services and back, again and again, while the program answers /metrics and /stats.json, and
// while it reloads a configuration that has not changed. The longest time that a message took is what an event loop that does
// something else costs. `--beside` takes another checkout of this repository, built, into the same run.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { nodeBinary, versionOf } from '../scripts/runtimes.js'
import { checkouts, commonOptions } from './checkouts.ts'
import { lineOf, longestWhile, portIn } from './stalls/running.ts'

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    ...commonOptions,
  },
})

const rounds = Number(values.rounds)
const node = nodeBinary(values.node)
const config = join(tmpdir(), `stalls-${String(process.pid)}.json`)

console.log(
  `Node ${versionOf(node)}, ${values.services} services; longest message of ${values.rounds} rounds, in ms\n`,
)
console.log('| checkout | nothing | /metrics | /stats.json | reload |\n| --- | --- | --- | --- | --- |')
for (const { checkout, server } of checkouts(values.beside)) {
  const longest = await measure(server)
  console.log(`| ${checkout} | ${longest.map(each => each.toFixed(1)).join(' | ')} |`)
}
rmSync(config)

/** The longest message while nothing else happens, while each document is read, and while the program reloads. */
async function measure(program: string): Promise<readonly number[]> {
  const messages = new Worker(new URL('stalls/messages.js', import.meta.url))
  const [upstream] = (await once(messages, 'message')) as [AddressInfo] // as bench/stalls/messages.js says first
  writeConfig(upstream.port)
  const server = spawn(node, [program, '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface(server.stdout)
  const [first, admin] = await Promise.all([lineOf(lines, 'listening'), lineOf(lines, 'admin')])
  messages.postMessage(portIn(first))
  await pause(2_000)
  const read = async (path: string): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${String(portIn(admin))}${path}`)
    await response.arrayBuffer()
  }
  const reload = async (): Promise<void> => {
    const reloaded = lineOf(lines, 'reloaded')
    server.kill('SIGHUP')
    await reloaded
  }
  try {
    return [
      await longestWhile(messages, rounds, () => pause(1_000)),
      await longestWhile(messages, rounds, () => read('/metrics')),
      await longestWhile(messages, rounds, () => read('/stats.json')),
      await longestWhile(messages, rounds, reload),
    ]
  } finally {
    await messages.terminate()
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
}

function writeConfig(upstream: number): void {
  const services = Array.from({ length: Number(values.services) }, (_, at) => {
    return {
      name: `tenant-${String(at)}`,
      listen: '127.0.0.1:0',
      upstream: `127.0.0.1:${String(upstream)}?pp=noop`,
    }
  })
  writeFileSync(config, JSON.stringify({ admin: { listen: '127.0.0.1:0' }, services }))
}
