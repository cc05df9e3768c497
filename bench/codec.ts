// How fast the codec is beside the npm packages that do the same, and go-proxyproto where Debian's packages golang-go and
// golang-github-pires-go-proxyproto-dev are installed: `npm run bench:codec` tells in about two minutes.
//
//   node --expose-gc --import tsx bench/codec.ts [--rounds N] [--json FILE]

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { bytesPerCall } from './codec/allocation.ts'
import type { Row } from './codec/contender.ts'
import { decodeRows } from './codec/decoders.ts'
import { encodeRows } from './codec/encoders.ts'
import { goResults } from './codec/go.ts'
import { inTurn, timesOf, warmUp, type Once } from './codec/measure.ts'
import { refusalRows } from './codec/refusals.ts'
import { reportOf, toJson, toMarkdown, type Result } from './codec/report.ts'
import { streamRows } from './codec/streams.ts'
import { verify } from './codec/verify.ts'

/** Enough for a median that a disturbed round or two do not move. */
const ROUNDS = '21'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: ROUNDS }, json: { type: 'string' } },
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new RangeError(`--rounds must be an integer from 1, got ${values.rounds}`)
}

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
const report = reportOf(rounds, tasks.flatMap(resultsOf))
console.log(toMarkdown(report))
if (values.json !== undefined) writeFileSync(values.json, toJson(report))

interface Task {
  readonly row: Pick<Row<never>, 'task' | 'name' | 'contenders'>
  readonly all: readonly Once[]
}

function prepare<Input>(row: Row<Input>): Task {
  verify(row)
  return { row, all: inTurn(row) }
}

function resultsOf({ row, all }: Task, task: number): readonly Result[] {
  const ofGo = go.filter(result => result.task === row.task && result.name === row.name)
  const results = row.contenders.map(({ name, notes }, index) => ({
    task: row.task,
    name: row.name,
    contender: name,
    notes,
    nanoseconds: times[task]?.[index]?.nanoseconds ?? NaN,
    timesOurs: times[task]?.[index]?.timesOurs ?? NaN,
    bytesAllocated: bytesPerCall(all[index] as Once), // one for each contender
  }))
  return [...results, ...ofGo]
}
