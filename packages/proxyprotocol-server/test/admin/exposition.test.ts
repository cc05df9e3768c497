// The text format of Prometheus, as its documentation has it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exposition, histogram, type Metric, type Sample } from '../../src/admin/metrics/metric.ts'
import { ProcessFacts } from '../../src/admin/process-facts.ts'
import { snapshotOf } from '../../src/admin/snapshot.ts'
import { adminSource } from '../support/admin.ts'
import { atEnd } from '../support/teardown.ts'

function metric(samples: readonly Sample[], labels: readonly string[] = ['a']): Metric {
  return { name: 'some_seconds', type: 'gauge', help: 'Something.', labels, samples: () => samples }
}

test('a metric is its help, its type and its values; an empty line separates two', async t => {
  const facts = new ProcessFacts()
  atEnd(t, () => {
    facts.stop()
  })
  const snapshot = await snapshotOf(adminSource(), facts, false)
  const text = (metrics: readonly Metric[]): string => [...exposition(metrics, snapshot)].join('')
  const head = '# HELP some_seconds Something.\n# TYPE some_seconds gauge\n'
  assert.equal(
    text([metric([{ labels: { a: 'b', c: 'd' }, value: 1.5 }])]),
    `${head}some_seconds{a="b",c="d"} 1.5\n`,
  )
  assert.equal(text([metric([{ labels: {}, value: 2 }], [])]), `${head}some_seconds 2\n`)
  assert.equal(text([metric([]), metric([])]), `${head}\n${head}`)
  assert.equal(text([metric([], []), metric([])]), head, 'what is unknown is absent')
  const [quoted] = text([metric([{ labels: { a: 'x"\\\ny' }, value: 1 }])])
    .split('\n')
    .slice(2)
  assert.equal(quoted, 'some_seconds{a="x\\"\\\\\\ny"} 1')
})

test('the buckets of a histogram include those below them, and the last one everything, in seconds', () => {
  const samples = [...histogram({ a: 'b' }, { bounds: [10, 2_500], counts: [1, 2, 3], sum: 9_000 })]
  assert.deepEqual(samples, [
    { suffix: '_bucket', labels: { le: '0.01', a: 'b' }, value: 1 },
    { suffix: '_bucket', labels: { le: '2.5', a: 'b' }, value: 3 },
    { suffix: '_bucket', labels: { le: '+Inf', a: 'b' }, value: 6 },
    { suffix: '_sum', labels: { a: 'b' }, value: 9 },
    { suffix: '_count', labels: { a: 'b' }, value: 6 },
  ])
})
