// Real software on the other side, each peer against each door of ours.
//
//   npm run interop                  the peers of every run
//   npm run interop -- --full        all peers; writes docs/interop.md where all is well
//   npm run interop -- nginx curl    these alone
//
// A peer that cannot be had is left out, loudly, and a failure where CI=true.

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import prettier from 'prettier'
import { provide } from './debian.ts'
import type { Case, Peer } from './peer.ts'
import { peers } from './peers/index.ts'
import { toMarkdown, toTable, type PeerReport, type Row } from './report.ts'
import { Harness } from './harness.ts'

const DOCUMENT = new URL('../docs/interop.md', import.meta.url)
/** Milliseconds for one case. */
const PATIENCE = 60_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { full: { type: 'boolean', default: false } },
})
const all = values.full && positionals.length === 0
const names = peers.map(({ name }) => name)
const stages = new Set<Harness>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void Promise.all([...stages].map(harness => harness.close())).finally(() => process.exit(1))
  })
}
const unknown = positionals.find(word => !names.includes(word))
if (unknown !== undefined) {
  console.error(`interop: there is no peer ${unknown}; there are: ${names.join(', ')}`)
  process.exitCode = 1
} else {
  await runAll(chosen())
}

function chosen(): readonly Peer[] {
  if (positionals.length > 0) return peers.filter(({ name }) => positionals.includes(name))
  return all ? peers : peers.filter(({ always }) => always)
}

async function runAll(players: readonly Peer[]): Promise<void> {
  const reports: PeerReport[] = []
  for (const peer of players) {
    const report = await play(peer)
    console.log(toTable(report))
    reports.push(report)
  }
  const missing = reports.filter(({ missing: reason }) => reason !== undefined).map(({ name }) => name)
  const rows = reports.flatMap(report => report.rows)
  const failed = rows.filter(({ fault }) => fault !== undefined)
  console.log(`interop: ${rows.length - failed.length} of ${rows.length} cases hold`)
  if (missing.length > 0) console.error(`interop: LEFT OUT, as they cannot be had: ${missing.join(', ')}`)
  const inCi = process.env['CI'] === 'true'
  if (failed.length > 0 || (inCi && missing.length > 0)) process.exitCode = 1
  else if (all && missing.length === 0) await writeDocument(reports)
}

async function play(peer: Peer): Promise<PeerReport> {
  const { name } = peer
  const harness = new Harness()
  stages.add(harness)
  try {
    const versions = peer.programs.map(each => provide(each).version)
    const rows: Row[] = []
    try {
      for (const each of await peer.cases(harness)) rows.push(await hold(each))
    } catch (error) {
      rows.push({ direction: 'starts', name: 'starts and listens', fault: messageOf(error) })
    }
    return { name, versions, rows }
  } catch (error) {
    return { name, versions: [], rows: [], missing: messageOf(error) }
  } finally {
    await harness.close()
    stages.delete(harness)
  }
}

async function hold({ direction, name, run }: Case): Promise<Row> {
  const late = AbortSignal.timeout(PATIENCE)
  try {
    const showed = await Promise.race([
      run(),
      once(late, 'abort').then(() => Promise.reject(new Error('no end'))),
    ])
    return { direction, name, showed }
  } catch (error) {
    return { direction, name, fault: messageOf(error) }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error)
}

async function writeDocument(reports: readonly PeerReport[]): Promise<void> {
  const options = await prettier.resolveConfig(DOCUMENT)
  writeFileSync(DOCUMENT, await prettier.format(toMarkdown(reports), { ...options, parser: 'markdown' }))
  console.log('interop: docs/interop.md is written')
}
