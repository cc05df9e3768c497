// The status page as the admin listener sends it, and what /stats.json has for it.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { closedPort } from 'test-support/sockets'
import type { StatsDocument } from '../../src/figures/index.ts'
import { runServer } from '../../src/cli/index.ts'
import { configFile } from '../support/config-file.ts'
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
