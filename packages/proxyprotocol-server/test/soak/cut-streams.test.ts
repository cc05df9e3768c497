// Whichever side ends first or resets, after however many bytes: a stream that was cut never looks complete, and one that is
// complete never looks cut.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'test-support/sockets'
import { atOnce } from '../support/at-once.ts'
import { relayKinds, serverKinds } from '../support/cut-kinds.ts'
import { cells, play, type Cell, type Ends } from '../support/cut-matrix.ts'
import { soaking } from '../support/soak-length.ts'

/** Connections of each cell; even one of each shows a fault that hits only some of them. */
const ROUNDS = soaking ? 50 : 1
/** Connections at the same time. */
const WIDTH = 4

const all = Array.from({ length: ROUNDS }, () => cells).flat()
const complete = all.filter(({ cutter }) => cutter === 'nobody').length
/** Who ends in order and cuts then may be counted either way. */
const either = all.filter(({ first, cutter }) => first === cutter).length

for (const [name, start] of Object.entries({ ...relayKinds, ...serverKinds })) {
  test(`${name}: ${all.length} connections, ended first by either side or none, and reset by either side or none: 0 ends after a reset, 0 resets after an end`, async t => {
    const { open, counts } = await start(t)
    let last: Promise<unknown> = Promise.resolve()
    /** One by one, so that both ends are of one connection. */
    function openNext(): Promise<Ends> {
      const opened = last.then(open)
      last = opened
      return opened
    }
    const wrong = await atOnce(all.length, WIDTH, async n => {
      const cell = all[n] as Cell // there are so many
      return play(cell, await openNext())
    })
    assert.deepEqual(
      wrong.filter(fault => fault !== undefined),
      [],
    )
    if (counts === undefined) return
    await until(() => sumOf(counts()) === all.length)
    const { done = 0 } = counts()
    assert.ok(done >= complete && done <= complete + either, `${done} are done`)
  })
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
