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
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { nodeBinary, versionOf } from '../scripts/runtimes.js'
import { checkouts, commonOptions } from './checkouts.ts'

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    ...commonOptions,
  },
})

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
      await longestWhile(messages, () => pause(1_000)),
      await longestWhile(messages, () => read('/metrics')),
      await longestWhile(messages, () => read('/stats.json')),
      await longestWhile(messages, reload),
    ]
  } finally {
    await messages.terminate()
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
}

/** The longest message of all rounds, in milliseconds. */
async function longestWhile(messages: Worker, job: () => Promise<unknown>): Promise<number> {
  let longest = 0
  for (let round = 0; round < Number(values.rounds); round++) {
    await pause(500)
    messages.postMessage('begin')
    await once(messages, 'message')
    await job()
    await pause(500) // a message that was delayed has come by then
    messages.postMessage('end')
    const [longestOfRound] = (await once(messages, 'message')) as [number] // as bench/stalls/messages.js answers
    longest = Math.max(longest, longestOfRound)
  }
  return longest
}

/** The next line of the log about such an event. */
async function lineOf(lines: Interface, event: string): Promise<string> {
  for (;;) {
    const [text] = (await once(lines, 'line')) as [string] // readline gives text
    if (text.includes(` ${event} `)) return text
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

function portIn(text: string): number {
  return Number(/address=\S*:(\d+)/.exec(text)?.[1])
}
