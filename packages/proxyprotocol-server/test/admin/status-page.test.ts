// The status page as the admin listener sends it, and what /stats.json has for it.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { closedPort } from 'test-support/sockets'
import { ServiceHistory } from '../../src/admin/service-history.ts'
import { noTotals, type ServiceFigures, type StatsDocument } from '../../src/figures/index.ts'
import { runServer } from '../../src/cli/index.ts'
import { configFile } from '../support/config-file.ts'
import { serviceFigures, upstreamFigures } from '../support/figures.ts'
import { ask } from '../support/http.ts'
import { start } from '../support/program.ts'
import { dial, outcome } from '../support/connections.ts'

test('GET / is a page that runs its own script and style, and nothing else', async t => {
  const { io } = await start(t, runServer, ['--service', '127.0.0.1:0', ':1', '--admin', '127.0.0.1:0'])
  const [, port] = / admin address=127\.0\.0\.1:(\d+)/.exec(io.written.join('')) ?? []
  const { status, headers, body } = await ask(Number(port), '/')
  assert.deepEqual([status, headers['content-type']], [200, 'text/html; charset=utf-8'])
  const policy = String(headers['content-security-policy'])
  for (const [tag, directive] of [
    ['script type="module"', 'script-src'],
    ['style', 'style-src'],
  ] as const) {
    const [, text = ''] = body.split(`<${tag}>`)
    const [content = ''] = text.split(`</${tag.split(' ')[0] ?? ''}>`)
    assert.ok(content.length > 1_000, tag)
    const hash = createHash('sha256').update(content).digest('base64')
    assert.ok(policy.includes(`${directive} 'sha256-${hash}';`), directive)
  }
  assert.match(policy, /^default-src 'none'; .*connect-src 'self'; .*; frame-ancestors 'none'$/)
  assert.equal(headers['referrer-policy'], 'no-referrer')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.doesNotMatch(body, /(src|href)="?(https?:)?\/\//)
  const head = await ask(Number(port), '/', { method: 'HEAD' })
  assert.deepEqual(
    [head.status, head.body, head.headers['content-length']],
    [200, '', headers['content-length']],
  )
  assert.equal((await ask(Number(port), '/', { headers: { host: 'evil.example' } })).status, 403)
})

test('/stats.json says why an upstream failed last: a connection or a check, whichever came later', async t => {
  const checked = `127.0.0.1:${await closedPort()}`
  const config = {
    services: [
      {
        ...{ name: 'checked', listen: '127.0.0.1:0', upstream: checked },
        health: { fails: 0, check: { interval: 100, fall: 1000 } },
      },
      { name: 'unchecked', listen: '127.0.0.1:0', upstream: checked },
    ],
    admin: { listen: '127.0.0.1:0' },
  }
  const { io, ports } = await start(t, runServer, ['--config', configFile(t, config)], { listeners: 2 })
  const [, port] = / admin address=127\.0\.0\.1:(\d+)/.exec(io.written.join('')) ?? []
  const failures = async (): Promise<unknown[]> => {
    const { services } = JSON.parse((await ask(Number(port), '/stats.json')).body) as StatsDocument
    return services.map(({ upstreams }) => {
      const failure = upstreams[0]?.lastFailure ?? null
      return failure && [failure.code, failure.message, Number.isInteger(failure.age)]
    })
  }
  let before = await failures()
  while (before[0] === null) before = await failures()
  const refused = [
    'connect_refused',
    `the upstream refused the connection: connect ECONNREFUSED ${checked}`,
    true,
  ]
  assert.deepEqual(before, [refused, null])
  for (const each of ports) await outcome(dial(t, each))
  assert.deepEqual(await failures(), [refused, refused])
})

/** A service at a moment, as far as history asks. */
function service(
  name: string,
  active: number,
  upstreams: Readonly<Record<string, number>> = {},
): ServiceFigures {
  return serviceFigures(name, {
    totals: { ...noTotals, accepted: active, active, bytesUp: 10 * active },
    upstreams: Object.entries(upstreams).map(([each, count]) =>
      upstreamFigures({ name: each, active: count }),
    ),
  })
}

test('the history of a service has the most connections at a look, its upstreams included, and a minute', () => {
  const history = new ServiceHistory()
  const peaks = (now: ServiceFigures): unknown => {
    const { peak, upstreamPeaks } = history.of(now)
    return [peak, ...upstreamPeaks.values()]
  }
  history.look([service('web', 3, { a: 2, b: 1 })])
  history.look([service('web', 5, { a: 1, b: 4 }), service('other', 9)])
  assert.deepEqual(peaks(service('web', 1, { a: 1, b: 0 })), [5, 2, 4])
  assert.deepEqual(
    peaks(service('web', 7, { b: 7, c: 1 })),
    [7, 7, 1],
    'the present counts, and who is gone does not',
  )
  assert.deepEqual(history.of(service('web', 0)).lastMinute.accepted.slice(-3), [0, 0, 2])
  assert.deepEqual(history.of(service('web', 0)).lastMinute.bytesUp.at(-1), 20)
})

test('what a service has had before it is looked at first is of its last minute, unless nobody has looked before', () => {
  const history = new ServiceHistory()
  history.look([service('old', 3)])
  history.look([service('old', 3), service('new', 2)])
  const accepted = (name: string): unknown => history.of(service(name, 0)).lastMinute.accepted.slice(-2)
  assert.deepEqual(
    [accepted('old'), accepted('new')],
    [
      [0, 0],
      [0, 2],
    ],
  )
})

test('a service that is gone is forgotten, and one that is new has no past', () => {
  const history = new ServiceHistory()
  history.look([service('web', 5)])
  history.look([])
  const { peak, lastMinute } = history.of(service('web', 1))
  assert.deepEqual([peak, lastMinute.accepted], [1, new Array(60).fill(0)])
})
