// Sends the same headers, nearly right ones made from the vectors, to this library, HAProxy and nginx, and compares whom
// each takes the client for. Every disagreement is in the written list (differential/reasons.ts), or ends this with 1.
//
// npm run differential                              20,000 headers, HAProxy and nginx
// npm run differential -- --full                    the Go library as well; fetches its compiler
// npm run differential -- --seed 7 --count 1000     other headers, or fewer
// npm run differential -- --full --write            and writes the tables of docs/differential.md

import process from 'node:process'
import { parseArgs } from 'node:util'
import { vectorFiles } from 'proxyprotocol/vectors'

import { randomFrom } from 'test-support/random'
import { compare, type Comparison } from './differential/compare.ts'
import { startPeers } from './differential/peers.ts'
import { faultOf, summaryOf, writePage } from './differential/report.ts'
import { mutate } from './mutate.ts'

/** Longer vectors are about limits, which each implementation has its own of. */
const MAX_BASE_BYTES = 600
/** Unexplained headers that are shown. */
const SHOWN = 20

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    full: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const headers = mutatedHeaders(Number(values.count), Number(values.seed))
const running = await startPeers({ full: values.full })
const comparisons: Comparison[] = []
try {
  for (const peer of running.peers) {
    const comparison = await compare(peer, headers)
    comparisons.push(comparison)
    console.log(summaryOf(comparison))
  }
} finally {
  await running.stop()
}
const unexplained = comparisons.flatMap(comparison => comparison.unexplained)
for (const disagreement of unexplained.slice(0, SHOWN)) console.error(faultOf(disagreement))
if (unexplained.length > 0) process.exitCode = 1
else if (values.write) await writePage(comparisons)

function mutatedHeaders(count: number, seed: number): readonly Uint8Array[] {
  const random = randomFrom(seed)
  const bases = vectorFiles
    .flatMap(({ vectors }) => vectors)
    .filter(({ options, bytes }) => options === undefined && bytes.length <= MAX_BASE_BYTES)
  return Array.from({ length: count }, () => mutate(random.pick(bases).bytes, random))
}
