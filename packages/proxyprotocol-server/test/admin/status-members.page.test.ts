// What the status page says of upstreams whose names have several addresses.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { AdminServer } from '../../src/admin/index.ts'
import {
  noTotals,
  type RoutedUpstream,
  type ServiceFigures,
  type UpstreamState,
} from '../../src/figures/index.ts'
import { adminSource } from '../support/admin.ts'
import { openPage, type OpenPage } from '../support/browser.ts'
import { memberFigures, serviceFigures, upstreamFigures } from '../support/figures.ts'
import { cells, row } from '../support/status-page.ts'
import { atEnd } from '../support/teardown.ts'

const counts = { active: 1, total: 2, failures: { connect_timeout: 3 } }
const silent = { code: 'connect_timeout', message: 'silent', age: 4_000 } as const
const resolution = {
  ...{ name: 'app.test', addresses: [], age: 5_000, answers: 1, failures: 0, lastFailure: undefined },
}
const checks = {
  type: 'http',
  passed: 5,
  failed: 1,
  streak: 1,
  verdict: 'up',
  lastFailure: undefined,
} as const

/** A name with these members, in their states. */
function upstream(
  members: Readonly<Record<string, UpstreamState>>,
  more: Partial<RoutedUpstream> = {},
): RoutedUpstream {
  return upstreamFigures({
    ...{ name: 'app.test:80', address: 'app.test:80', ...counts, resolution },
    members: Object.entries(members).map(([address, state]) =>
      memberFigures({
        ...{ address, state, ...counts, lastFailure: state === 'up' ? undefined : silent },
        checks: state === 'leaving' ? undefined : checks,
      }),
    ),
    ...more,
  })
}

async function show(
  t: TestContext,
  upstreams: readonly RoutedUpstream[],
  more: Partial<ServiceFigures> = {},
): Promise<OpenPage> {
  const source = adminSource({ services: () => [serviceFigures('web', { upstreams, ...more })] })
  const admin = new AdminServer(source, { onError: error => assert.fail(String(error)) })
  atEnd(t, () => admin.close())
  const { port } = await admin.listen({ port: 0 })
  const opened = await openPage(t)
  await opened.page.goto(`http://127.0.0.1:${port}/`)
  await opened.page.locator('html[data-connection=live]').waitFor()
  return opened
}

test('each address of a name has a line with its state and its numbers, and one that is down is told at the top', async t => {
  const members = { '10.0.0.1:80': 'up', '10.0.0.2:80': 'down', '10.0.0.3:80': 'leaving' } as const
  const name = { ...resolution, failures: 2, lastFailure: 'EAI_AGAIN' }
  const { page, faults } = await show(t, [upstream(members, { leftOut: 7, resolution: name })])
  const first = row(page, 'services', 'app.test:80').last()
  assert.match(await first.innerText(), /looked up 5 s ago, 2 look-ups failed, 7 left out/)
  const { State, Now, Most, Total, Errors, ...others } = await cells(row(page, 'services', '10.0.0.2:80'))
  assert.deepEqual(
    { State, Now, Most, Total, Errors },
    { State: 'down', Now: '1', Most: '', Total: '2', Errors: '3' },
  )
  assert.equal(others['Last failure'], 'connect_timeout 4 s ago')
  assert.equal((await cells(row(page, 'services', '10.0.0.3:80')))['State'], 'leaving')
  assert.match(await row(page, 'services', '10.0.0.1:80').innerText(), /5 good http checks, 1 failed/)
  const trouble = page.locator('#trouble')
  await trouble.getByText('web: upstream app.test:80: 10.0.0.2:80 is down (connect_timeout)').waitFor()
  await trouble.getByText('web: upstream app.test:80: 7 of its addresses left out').waitFor()
  assert.equal(await trouble.getByText(/^web: /).count(), 2) // the machine of the test may be a busy one
  await page.locator('#services-filter').fill('10.0.0.3')
  assert.equal(await row(page, 'services', '10.0.0.2:80').count(), 1, 'a service is found by its addresses')
  assert.deepEqual(faults, [])
})

test('an upstream that is not used is trouble as long as it is not, also when its last check was good', async t => {
  const known = upstream({ '10.0.0.1:80': 'probing' }, { name: 'a', state: 'probing', lastFailure: silent })
  const unknown = upstream(
    {},
    {
      ...{ name: 'b', state: 'down' },
      resolution: { ...resolution, age: undefined, answers: 0, failures: 1, lastFailure: 'ENOTFOUND' },
    },
  )
  const { page, faults } = await show(t, [known, unknown, upstream({ '10.0.0.9:80': 'up' }, { name: 'c' })])
  const trouble = page.locator('#trouble')
  await trouble.getByText('web: upstream a is probing (connect_timeout)').waitFor()
  await trouble.getByText('web: upstream b is down').waitFor()
  assert.match(
    await row(page, 'services', 'not looked up yet').innerText(),
    /not looked up yet, 1 look-up failed/,
  )
  assert.equal(await trouble.getByText(/^web: /).count(), 2) // the machine of the test may be a busy one
  assert.deepEqual(faults, [])
})

test('where connections may wait each route has a line with its queue, and an address shows its checks and its limit', async t => {
  const limited = { ...counts, limit: 5, members: [memberFigures({ checks })] }
  const upstreams = [
    upstreamFigures({ name: 'a', ...limited }),
    upstreamFigures({ name: 'b', route: 'b.example', ...limited, state: 'down' }),
  ]
  const queues = [
    { route: '*', waiting: 0, size: 10 },
    { route: 'b.example', waiting: 6, size: 10 },
  ]
  const { page, faults } = await show(t, upstreams, { queues })
  await page
    .locator('#trouble')
    .getByText('web: 6 of 10 places in the queue of the route b.example taken')
    .waitFor()
  assert.match(await row(page, 'services', 'default route').innerText(), /queue 0 of 10/)
  const route = await cells(row(page, 'services', 'route b.example'))
  assert.deepEqual(
    [route['State'], route['Now'], route['Waiting'], route['Total'], route['Errors']],
    ['down', '1', '6', '2', '3'],
  )
  const line = page.locator('#services tr.upstream:not(.route)').first()
  assert.match(await line.innerText(), /5 good http checks, 1 failed/)
  assert.equal((await cells(line))['Limit'], '5')
  assert.deepEqual(faults, [])
})

test('what lists, rate and limit of a source have done stands with the service', async t => {
  const { page, faults } = await show(t, [upstreamFigures()], {
    limits: { connections: 9, perSource: 4 },
    access: { allow: 1, deny: 2, allowed: 30, denied: 4 },
    rate: { connections: 20, per: 10_000, burst: 40, used: 7 },
    totals: { ...noTotals, busiestSource: 3, closed: { ...noTotals.closed, limit_rate: 6 } },
  })
  await page
    .getByText(
      'lists let in 30, denied 4; rate 20 in 10 s: busiest used 7 of 40, 6 refused; busiest source 3 of 4',
    )
    .waitFor()
  assert.deepEqual(faults, [])
})
