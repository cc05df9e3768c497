// What a list of networks and a rate cost a connection through the relay: `npm run bench:admission`.
//
//   node --import tsx bench/admission.ts [--rounds N] [--networks N] [--beside FOLDER] [--node LINE]
//
// Each round starts new processes, because two of the same kind differ by up to three per cent: a program without limits, one with
// a list to deny and a rate, and with `--beside` one without limits from another checkout of this repository, built. They take
// their short connections in turns.

import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { nodeBinary, versionOf } from '../scripts/runtimes.js'
import { run } from './accept/load.ts'
import { checkouts, commonOptions } from './checkouts.ts'
import { median } from './median.ts'
import { cpuOf, start, type Running } from './running.ts'

const WARM_UP = 6_400
const TURNS = 8
const CONNECTIONS = 640

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '11' },
    networks: { type: 'string', default: '10000' },
    ...commonOptions,
  },
})
const node = nodeBinary(values.node)
const file = join(tmpdir(), `admission-${String(process.pid)}.json`)
const deny = Array.from({ length: Number(values.networks) }, (_, n) => `10.${n >> 8}.${n & 255}.0/25`)
const rate = { connections: 1_000_000, per: '1s', burst: 1_000_000 }

const upstream = createServer(socket => {
  socket.on('error', () => undefined).on('data', () => socket.write('127.0.0.1'.padEnd(16)))
})
upstream.listen(0, '127.0.0.1')
await once(upstream, 'listening')
const { port: upstreamPort } = upstream.address() as AddressInfo // it listens at a port

const kinds = checkouts(values.beside).map(({ checkout, server: program }) => ({
  name: `${checkout}, no limits`,
  program,
  limits: {},
}))
const ours = kinds[0]?.program ?? ''
kinds.push({ name: `., ${values.networks} networks and a rate`, program: ours, limits: { deny, rate } })

const spent = kinds.map((): number[] => [])
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [at, cpu] of (await measure()).entries()) spent[at]?.push(cpu)
}
upstream.close()
rmSync(file)

console.log(
  `Node ${versionOf(node)}, CPU of a connection, median of ${values.rounds} rounds with new processes\n`,
)
console.log('| relay | microseconds | x the first |\n| --- | --: | --: |')
for (const [at, { name }] of kinds.entries()) {
  const own = spent[at] ?? []
  const ratios = own.map((cpu, round) => cpu / (spent[0]?.[round] ?? NaN))
  console.log(`| ${name} | ${median(own).toFixed(1)} | ${median(ratios).toFixed(3)} |`)
}

/** Of each kind, the CPU microseconds of a connection. */
async function measure(): Promise<readonly number[]> {
  const running: Running[] = []
  for (const { program, limits } of kinds) {
    const services = [{ listen: '127.0.0.1:0', upstream: `127.0.0.1:${upstreamPort}?pp=noop`, ...limits }]
    running.push(await start({ node, program, file, configuration: { services } }))
  }
  try {
    for (const { port } of running) await run({ port, load: 'net', header: 'none', operations: WARM_UP })
    const used = running.map(() => 0)
    for (let turn = 0; turn < TURNS; turn++) {
      for (const [at, { server, port }] of running.entries()) {
        const before = cpuOf(server)
        await run({ port, load: 'net', header: 'none', operations: CONNECTIONS })
        used[at] = (used[at] ?? 0) + cpuOf(server) - before
      }
    }
    return used.map(cpu => cpu / (TURNS * CONNECTIONS))
  } finally {
    for (const { server } of running) server.kill('SIGKILL')
  }
}
