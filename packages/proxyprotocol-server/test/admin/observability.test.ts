// The dashboard and the alerts that are shipped ask for what the program exports, and for nothing else.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { closeReasons } from 'proxyprotocol/server'
import { metrics } from '../../src/admin/metrics/metrics.ts'
import { pathOf } from '../support/child.ts'

/** What Prometheus adds to each metric by itself. */
const added = ['job', 'instance']
/** A metric of Prometheus' own. */
const UP = 'up'

/** What is exported, by the names in queries: labels. */
const exported = new Map(
  metrics.flatMap(({ name, type, labels }): [string, readonly string[]][] =>
    type === 'histogram'
      ? [
          [`${name}_bucket`, [...labels, 'le', ...added]],
          [`${name}_sum`, [...labels, ...added]],
          [`${name}_count`, [...labels, ...added]],
        ]
      : [[name, [...labels, ...added]]],
  ),
)
exported.set(UP, added)

interface Matcher {
  readonly label: string
  readonly operator: string
  readonly value: string
}

interface Query {
  readonly metrics: readonly { readonly name: string; readonly matchers: readonly Matcher[] }[]
  /** Those of `by (...)` and `on (...)`. */
  readonly groups: readonly string[]
}

/** Names of metrics and labels in an expression. */
function parse(expression: string): Query {
  const groups = [...expression.matchAll(/\b(?:by|on|without|ignoring) \(([^)]*)\)/g)].flatMap(
    ([, list = '']) => list.split(', '),
  )
  const rest = expression.replace(/\b(?:by|on|without|ignoring) \([^)]*\)/g, ' ').replace(/\[[^\]]*\]/g, ' ')
  const found = [...rest.matchAll(/([a-z_:][a-z_:0-9]*)\s*(\{[^}]*\}|\()?/gi)]
  return {
    metrics: found
      .filter(([, name = '', next]) => next !== '(' && !['and', 'or', 'unless'].includes(name))
      .filter(([, , next]) => next === undefined || next.startsWith('{'))
      .map(([, name = '', list = '']) => ({ name, matchers: matchersOf(list) })),
    groups,
  }
}

function matchersOf(list: string): Matcher[] {
  const parts = [...list.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)]
  return parts.map(([, label = '', operator = '', value = '']) => ({ label, operator, value }))
}

/** Fails where an expression asks for what there is not. */
function check(expression: string): Query {
  const query = parse(expression)
  assert.ok(query.metrics.length > 0, expression)
  const labels = new Set<string>()
  for (const { name, matchers } of query.metrics) {
    const own = exported.get(name)
    assert.ok(own, `there is no metric ${name}: ${expression}`)
    for (const label of own) labels.add(label)
    for (const { label, operator, value } of matchers) {
      assert.ok(own.includes(label), `${name} has no label ${label}`)
      if (label === 'reason') checkReasons(operator, value)
    }
  }
  for (const label of query.groups) assert.ok(labels.has(label), `no label ${label} in ${expression}`)
  return query
}

function checkReasons(operator: string, value: string): void {
  const alternatives = operator.includes('~') ? value.split('|') : [value]
  for (const alternative of alternatives) {
    const pattern = new RegExp(`^(?:${alternative})$`)
    assert.ok(
      closeReasons.some(reason => pattern.test(reason)),
      `there is no reason ${alternative}`,
    )
  }
}

interface Panel {
  readonly id: number
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] }
}

const dashboard = JSON.parse(readFileSync(pathOf('deploy/grafana/dashboard.json'), 'utf8')) as Dashboard
const alerts = readFileSync(pathOf('deploy/prometheus/alerts.yml'), 'utf8')
const alertNames = [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name]) => name)
const alertQueries = [...alerts.matchAll(/^ +expr: (.*)$/gm)].map(([, expression = '']) => expression)
const targets = dashboard.panels.flatMap(panel => panel.targets ?? [])

test('a query for what is not exported does not pass', () => {
  const wrong: [query: string, error: RegExp][] = [
    ['rate(proxyprotocol_nothing_total[5m])', /no metric proxyprotocol_nothing_total/],
    ['proxyprotocol_ready{service="web"}', /has no label service/],
    ['sum by (reason) (proxyprotocol_connections_active)', /no label reason/],
    ['proxyprotocol_connection_duration_seconds > 1', /no metric proxyprotocol_connection_duration_seconds/],
    ['proxyprotocol_connections_closed_total{reason=~"done|bored"}', /no reason bored/],
    ['proxyprotocol_connections_closed_total{reason="limit_.*x"}', /no reason limit_/],
    ['vector(1)', /vector/],
  ]
  for (const [query, error] of wrong) assert.throws(() => check(query), error)
})

test('every query of the alerts and of the dashboard is for metrics and labels that are exported', () => {
  assert.equal(alertQueries.length, alertNames.length)
  assert.ok(alertQueries.length > 10 && targets.length > 20)
  for (const expression of [...alertQueries, ...targets.map(({ expr }) => expr)]) check(expression)
})

test('every metric that is exported is on the dashboard', () => {
  const shown = new Set(targets.flatMap(({ expr }) => parse(expr).metrics.map(({ name }) => name)))
  const missing = metrics.filter(({ name }) => !shown.has(name) && !shown.has(`${name}_bucket`))
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  )
})

test('legends and summaries name labels that their queries have', () => {
  for (const { expr, legendFormat } of targets) {
    const { groups, metrics: asked } = parse(expr)
    const isGrouped = /\bby \(/.test(expr)
    const labels = isGrouped ? groups : asked.flatMap(({ name }) => exported.get(name) ?? [])
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
      assert.ok(labels.includes(label), `${legendFormat}: ${expr}`)
  }
  for (const rule of alerts.split('- alert: ').slice(1)) {
    const [, expression = ''] = /expr: (.*)/.exec(rule) ?? []
    const { groups, metrics: asked } = parse(expression)
    const labels = expression.includes(' by (')
      ? groups
      : asked.flatMap(({ name }) => exported.get(name) ?? [])
    for (const [, label = ''] of rule.matchAll(/\$labels\.(\w+)/g)) assert.ok(labels.includes(label), rule)
    assert.match(rule, /severity: (critical|warning)/)
  }
})

test('panels of the dashboard have numbers of their own and do not overlap; variables are those that queries use', () => {
  const { panels, templating } = dashboard
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  for (const a of panels) {
    const { x, y, w, h } = a.gridPos
    assert.ok(x + w <= 24, a.title)
    const over = panels.filter(b => b !== a && b.gridPos.x < x + w && x < b.gridPos.x + b.gridPos.w)
    const both = over.filter(b => b.gridPos.y < y + h && y < b.gridPos.y + b.gridPos.h)
    assert.deepEqual(
      both.map(({ title }) => title),
      [],
      a.title,
    )
  }
  const names = templating.list.map(({ name }) => name)
  const used = targets.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name = '']) => name))
  assert.deepEqual(
    new Set(used),
    new Set([...names.filter(name => name !== 'datasource'), '__rate_interval']),
  )
})

test('every alert is tested where it fires and where it does not', () => {
  const tests = readFileSync(pathOf('deploy/prometheus/alerts.test.yml'), 'utf8')
  const cases = [...tests.matchAll(/alertname: (\w+)\n +exp_alerts:( \[\])?/g)]
  const named = (isQuiet: boolean): readonly unknown[] =>
    cases.filter(([, , none]) => (none !== undefined) === isQuiet).map(([, name]) => name)
  assert.deepEqual(named(false), alertNames)
  assert.deepEqual(named(true), alertNames)
})

test('docs/operations.md explains every alert, and no other', () => {
  const page = readFileSync(pathOf('docs/operations.md'), 'utf8')
  assert.deepEqual(
    [...page.matchAll(/^\| `(Proxyprotocol\w+)`/gm)].map(([, name]) => name),
    alertNames,
  )
})
