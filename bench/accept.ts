// What the header costs a server, beside the same server without it and beside the peer on npm: `npm run bench:accept`
// tells in about four minutes.
//
//   node --import tsx bench/accept.ts [--rounds N] [--load http|net|keep-alive] [--node LINE] [--json FILE]
//
// The servers run the built package, as its users do: what tsx makes of a source file names every function it creates,
// which costs where connections are counted in microseconds. `--node 24` runs the servers on that line of Node; the load stays on
// the one that runs this.

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { nodeBinary, versionOf } from '../scripts/runtimes.js'

import { rows } from './accept/contender.ts'
import { measure, type Plan } from './accept/measure.ts'
import { reportOf, toJson, toMarkdown, type Result } from './accept/report.ts'
import { pinLoad } from './accept/subject.ts'

/** In each process; 33 in all. */
const ROUNDS = '11'
const PROCESSES = 3

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: ROUNDS },
    load: { type: 'string' },
    node: { type: 'string' },
    json: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new RangeError(`--rounds must be an integer from 1, got ${values.rounds}`)
}
const chosen = rows.filter(([bare]) => values.load === undefined || bare?.load === values.load)
if (chosen.length === 0) {
  throw new RangeError(`--load must be http, net or keep-alive, got ${String(values.load)}`)
}

const operations = { http: 1_280, net: 1_280, 'keep-alive': 6_400 }
const node = nodeBinary(values.node)
const plan: Plan = { node, processes: PROCESSES, rounds, operations, pinned: pinLoad() }
const results: Result[] = []
for (const row of chosen) results.push(...(await measure(row, plan)))
const report = reportOf({ ...plan, node: versionOf(node), results })
console.log(toMarkdown(report))
if (values.json !== undefined) writeFileSync(values.json, toJson(report))
