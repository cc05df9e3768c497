// How fast the codec is beside the npm packages that do the same, and beside go-proxyproto: `npm run bench:codec`, two minutes.
//
//   node --expose-gc --import tsx bench/codec.ts [--rounds N] [--node LINE] [--json FILE]
//
// `--node 24` runs all of it on that line of Node. Go comes from Debian's packages.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { nodeBinary } from '../scripts/runtimes.js'

import { bytesPerCall } from './codec/allocation.ts'
import type { Row } from './codec/contender.ts'
import { decodeRows } from './codec/decoders.ts'
import { encodeRows } from './codec/encoders.ts'
import { goResults } from './codec/go.ts'
import { inTurn, timesOf, warmUp, type Once, type Times } from './codec/measure.ts'
import { refusalRows } from './codec/refusals.ts'
import { reportOf, toJson, toMarkdown, type Result } from './codec/report.ts'
import { streamRows } from './codec/streams.ts'
import { verify } from './codec/verify.ts'

/** Enough for a median that a disturbed round or two do not move. */
const ROUNDS = '21'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: ROUNDS },
    node: { type: 'string' },
    json: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new RangeError(`--rounds must be an integer from 1, got ${values.rounds}`)
}

const node = nodeBinary(values.node)
if (node === process.execPath) await run()
else
  process.exitCode =
    spawnSync(node, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' }).status ?? 1

async function run(): Promise<void> {
  const tasks = [
    ...decodeRows.map(prepare),
    ...streamRows.map(prepare),
    ...encodeRows.map(prepare),
    ...refusalRows.map(prepare),
  ]
  warmUp(tasks.flatMap(({ all }) => all))
  const times = tasks.map(({ all }) => timesOf(all, rounds))
  const go = await goResults(decodeRows, rounds)
  // Bytes only now: the collections that counting them takes have V8 throw away optimised code.
  const results = tasks.flatMap((task, index) => [
    ...resultsOf(task, times[index] ?? []),
    ...go.filter(({ task: of, name }) => of === task.row.task && name === task.row.name),
  ])
  const report = reportOf(rounds, results)
  console.log(toMarkdown(report))
  if (values.json !== undefined) writeFileSync(values.json, toJson(report))
}

interface Task {
  readonly row: Pick<Row<never>, 'task' | 'name' | 'contenders'>
  readonly all: readonly Once[]
}

function prepare<Input>(row: Row<Input>): Task {
  verify(row)
  return { row, all: inTurn(row) }
}

function resultsOf({ row, all }: Task, times: readonly Times[]): readonly Result[] {
  return row.contenders.map(({ name, notes }, index) => ({
    task: row.task,
    name: row.name,
    contender: name,
    notes,
    nanoseconds: times[index]?.nanoseconds ?? NaN,
    timesOurs: times[index]?.timesOurs ?? NaN,
    bytesAllocated: bytesPerCall(all[index] as Once), // one for each contender
  }))
}
