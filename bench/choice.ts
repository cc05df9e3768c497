// What a choice among upstreams costs, and a connection through the relay with it: `npm run bench:choice`.
//
//   node --import tsx bench/choice.ts [--upstreams N] [--connections N] [--beside FOLDER] [--node LINE]
//
// A program relays short connections, one after the other, to an upstream that has N names. What it costs more with N names than
// with one is the price of the choice. `--beside` takes another checkout of this repository, built, into the same run.

import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { nodeBinary, versionOf } from '../scripts/runtimes.js'
import { checkouts, commonOptions } from './checkouts.ts'
import { cpuOf, start } from './running.ts'

const ROUNDS = 5

const { values } = parseArgs({
  options: {
    upstreams: { type: 'string', default: '1000' },
    connections: { type: 'string', default: '3000' },
    ...commonOptions,
  },
})
const node = nodeBinary(values.node)
const config = join(tmpdir(), `choice-${String(process.pid)}.json`)
const upstream = createServer(socket => socket.on('error', () => undefined).end('hi'))
upstream.listen(0, '127.0.0.1')
await once(upstream, 'listening')
const { port: upstreamPort } = upstream.address() as AddressInfo // it listens at a port

console.log(`Node ${versionOf(node)}, CPU microseconds of a connection, median of ${String(ROUNDS)} rounds\n`)
console.log(
  `| checkout | balance | 1 upstream | ${values.upstreams} upstreams | more |\n| --- | --- | --- | --- | --- |`,
)
for (const { checkout, server } of checkouts(values.beside)) {
  for (const balance of ['round-robin', 'least-connections', 'source-hash']) {
    const [one = 0, many = 0] = await measure(server, balance)
    const more = `${(100 * (many / one - 1)).toFixed(0)} %`
    console.log(`| ${checkout} | ${balance} | ${one.toFixed(0)} | ${many.toFixed(0)} | ${more} |`)
  }
}
upstream.close()
rmSync(config)

/** CPU microseconds of a connection with one upstream and with many, in interleaved rounds. */
async function measure(program: string, balance: string): Promise<readonly number[]> {
  const running = []
  for (const count of [1, Number(values.upstreams)]) {
    const address = `127.0.0.1:${String(upstreamPort)}?pp=noop`
    const upstreams = Array.from({ length: count }, (_, at) => ({ address, name: `app-${String(at)}` }))
    const services = [{ listen: '127.0.0.1:0', upstreams, balance }]
    running.push(await start({ node, program, file: config, configuration: { services } }))
  }
  const samples = running.map((): number[] => [])
  for (const { port } of running) await exchange(port)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, { server, port }] of running.entries()) {
      const before = cpuOf(server)
      await exchange(port)
      samples[at]?.push((cpuOf(server) - before) / Number(values.connections))
    }
  }
  for (const { server } of running) server.kill('SIGKILL')
  return samples.map(list => list.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN)
}

/** Connections one after the other. */
async function exchange(port: number): Promise<void> {
  for (let count = 0; count < Number(values.connections); count++) {
    const socket = connect(port, '127.0.0.1').resume()
    socket.end()
    await once(socket, 'close')
  }
}
