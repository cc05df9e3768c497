// The relay beside HAProxy, nginx and a proxy that most people would write: `npm run bench:relay`.
//
//   node --import tsx bench/relay.ts [--quick] [--rounds N] [--only LOAD]... [--beside FOLDER]... [--node LINE] [--json FILE]
//
// Loads are connections, up, down, both, messages, tls-handshakes, tls-up, tls-down, beside, crowded, idle and stalled.
// --beside takes another checkout of this repository, built, into the same run: what a change has brought is told by nothing
// else. Linux only.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { nodeBinary, versionOf } from '../scripts/runtimes.js'

import { compilePeer } from './relay/compile.ts'
import { canPin, pinSelf } from './relay/cpus.ts'
import { loads } from './relay/loads.ts'
import { measure, type Plan } from './relay/measure.ts'
import { Peer } from './relay/peer.ts'
import { contenders } from './relay/proxies.ts'
import { reportOf, toJson, toMarkdown } from './relay/report.ts'

const ROUNDS = '5'
const QUICK_ROUNDS = '3'
const QUICK_SCALE = 0.2
/** Set in the process that runs in a network of its own. */
const ISOLATED = 'BENCH_RELAY_ISOLATED'
/** What the peer ends with where the system allows no such network. */
const NOT_ALLOWED = 77

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    beside: { type: 'string', multiple: true, default: [] },
    node: { type: 'string' },
    json: { type: 'string' },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? QUICK_ROUNDS : ROUNDS))
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new RangeError(`--rounds must be an integer from 1, got ${String(values.rounds)}`)
}
const names = loads.map(({ name }) => name)
for (const name of values.only) {
  if (!names.includes(name)) throw new RangeError(`--only must be one of ${names.join(', ')}, got ${name}`)
}

const program = compilePeer()
const node = nodeBinary(values.node)
const proxies = contenders(node, values.beside) // what is to be fetched comes from outside
if (process.env[ISOLATED] === undefined) isolate(program)
else await run(program, { rounds, scale: values.quick ? QUICK_SCALE : 1, only: values.only })

/** Runs this script again in a network of its own, or here where that is not allowed. */
function isolate(peer: string): void {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const start = (command: string, args: readonly string[], isolated: string): number | null =>
    spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, [ISOLATED]: isolated } }).status
  let status = start(peer, ['isolate', ...again], 'yes')
  if (status === NOT_ALLOWED) status = start(process.execPath, again.slice(1), 'no')
  process.exitCode = status ?? 1
}

async function run(peerProgram: string, plan: Plan): Promise<void> {
  pinSelf()
  const peer = new Peer(peerProgram)
  try {
    const measured = await measure(proxies, peer, plan)
    const isolated = process.env[ISOLATED] === 'yes'
    const report = reportOf(measured, plan, { node: versionOf(node), pinned: canPin, isolated })
    console.log(toMarkdown(report, measured))
    if (values.json !== undefined) writeFileSync(values.json, toJson(report))
  } finally {
    peer.end()
  }
}
