// Services of datagrams with two workers: one worker serves all of each.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../../src/config/index.ts'
import { changeAll, ownerOf, ownPart } from '../../../src/cli/workers/own-part.ts'
import { configFile } from '../../support/config-file.ts'
import { answering, peer } from '../../support/datagrams.ts'
import { endsWell, metric, startWorkers } from '../../support/workers.ts'

test('every worker serves connections, and each UDP service has one worker, by its address', () => {
  const services = Array.from({ length: 20 }, (_, n) => ({
    listen: `udp://:${5_000 + n}`,
    upstream: 'udp://192.0.2.1:53',
  }))
  const configuration = parseConfig({
    services: [...services, { listen: ':80', upstream: '192.0.2.1:80' }],
    workers: 2,
  })
  const parts = [1, 2].map(number => ownPart(configuration, number).services.map(({ name }) => name))
  const [first = [], second = []] = parts
  assert.deepEqual(
    first.filter(name => second.includes(name)),
    [':80'],
  )
  assert.equal(new Set([...first, ...second]).size, 21)
  assert.ok(first.length > 1 && second.length > 1)
  for (const service of configuration.services.filter(({ datagrams }) => datagrams))
    assert.ok(parts[ownerOf(service, 2) - 1]?.includes(service.name))
})

test('a change counts what all workers share once, and kills a worker that cannot follow', async () => {
  const configuration = parseConfig({ services: [{ listen: ':80', upstream: '192.0.2.1:80' }], workers: 3 })
  const killed: number[] = []
  const worker = (number: number, counts: unknown): Parameters<typeof changeAll>[0][0] => ({
    number,
    ask: async () => (await counts) as never, // what it is asked decides
    kill: () => void killed.push(number),
  })
  const none = { added: 0, changed: 0, removed: 0 }
  const [first, second] = [
    worker(1, { ...none, unchanged: 1 }),
    worker(2, { ...none, added: 1, unchanged: 0 }),
  ]
  const third = worker(3, Promise.reject(new Error('no')))
  assert.deepEqual(await changeAll([first, second, third], configuration, 1), {
    ...none,
    added: 1,
    unchanged: 1,
  })
  assert.deepEqual(killed, [3])
})

test('with two workers the datagrams of each client reach one flow, also over a reload', async t => {
  const upstream = await answering(t)
  const services = [1, 2, 3].map(n => ({
    ...{
      name: `dns${n}`,
      listen: `udp://127.0.0.${n}:0`,
      upstream: `udp://127.0.0.1:${upstream.port}?pp=noop`,
    },
  }))
  const file = configFile(t, { services, shutdown: { drain: 1 } })
  const { child, adminPort } = await startWorkers(t, ['--config', file])
  await child.until(() => (child.output().match(/ listening /g)?.length ?? 0) === 3)
  const ports = services.map(({ name }) =>
    Number(new RegExp(` listening address=\\S+:(\\d+) service=${name} `).exec(child.output())?.[1]),
  )
  for (const [at, port] of ports.entries()) {
    const client = await peer(t, `127.0.0.${at + 1}`)
    for (const text of ['one', 'two', 'three']) {
      await client.send(text, port)
      assert.equal(await client.text(), text)
    }
  }
  const opened = await metric(adminPort, 'proxyprotocol_flows_total')
  assert.deepEqual(Object.values(opened), [1, 1, 1])
  child.send('SIGHUP')
  await child.line(/ reloaded added=0 changed=0 removed=0 unchanged=3/)
  await upstream.close()
  await endsWell(child)
})
