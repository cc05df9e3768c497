// The relay follows the answers of a name server.

import assert from 'node:assert/strict'
import dns from 'node:dns'
import type { Case } from '../../peer.ts'
import { assertNoFailure, countsOf, followed, repeat, type Scene, type Zone } from './zone.ts'

const CLIENTS = 400
const FOUR = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']
const FIFTY = Array.from({ length: 50 }, (_, at) => `127.0.1.${at + 1}`)

export function followsNames(zone: Zone): readonly Case[] {
  return [
    {
      direction: 'resolves',
      name: 'connections are spread over the addresses of a name',
      run: () => spread(zone),
    },
    {
      direction: 'resolves',
      name: 'an address that is removed gets no connection',
      run: () => removal(zone),
    },
    { direction: 'resolves', name: '2 -> 50 -> 1 addresses under load', run: () => growth(zone) },
    { direction: 'resolves', name: 'source-hash while an address leaves', run: () => stickiness(zone) },
    { direction: 'resolves', name: 'SRV records', run: () => records(zone) },
  ]
}

async function spread(zone: Zone): Promise<string> {
  await zone.answer(FOUR)
  const counts = countsOf(await repeat(CLIENTS, await zone.scene(FOUR)))
  const even = CLIENTS / FOUR.length
  for (const address of FOUR) assert.ok(Math.abs((counts.get(address) ?? 0) - even) <= even / 5, address)
  return 'each of 4 addresses within 20 % of its share'
}

async function removal(zone: Zone): Promise<string> {
  await zone.answer(FOUR)
  const scene = await zone.scene(FOUR)
  await repeat(FOUR.length, scene)
  const [gone = '', ...left] = FOUR
  await zone.answer(left)
  await followed(scene)
  assert.equal(countsOf(await repeat(CLIENTS, scene)).get(gone), undefined)
  return 'no connection after the next look-up'
}

async function growth(zone: Zone): Promise<string> {
  await zone.answer(FIFTY.slice(0, 2))
  const scene = await zone.scene(FIFTY)
  const members = (): number => scene.relay.upstreams().upstreams[0]?.members.length ?? 0
  await repeat(1, scene)
  let over = false
  const load = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!over) await scene.connect()
    }),
  )
  const changes = async (): Promise<void> => {
    for (const count of [2, 50, 1]) {
      await zone.answer(FIFTY.slice(0, count))
      await followed(scene)
      assert.equal(members(), count)
    }
  }
  await Promise.all([load, changes().finally(() => (over = true))])
  assertNoFailure(scene)
  return 'no failure'
}

async function stickiness(zone: Zone): Promise<string> {
  await zone.answer(FOUR)
  const scene = await zone.scene(FOUR, { balance: 'source-hash', resolve: { interval: 50 } })
  const sources = Array.from({ length: 100 }, (_, at) => `127.2.0.${at + 1}`)
  const before = await ofEach(sources, scene)
  const [gone, ...left] = FOUR
  await zone.answer(left)
  await followed(scene)
  const after = await ofEach(sources, scene)
  const moved = sources.filter((_, at) => before[at] !== after[at])
  assert.ok(moved.length > 0 && moved.every(source => before[sources.indexOf(source)] === gone))
  return 'every client whose member stays keeps it'
}

async function ofEach(sources: readonly string[], scene: Scene): Promise<readonly string[]> {
  const members: string[] = []
  for (const source of sources) members.push((await scene.connect(source)).member)
  return members
}

async function records(zone: Zone): Promise<string> {
  const before = dns.promises.getServers()
  dns.promises.setServers(zone.resolver().server.getServers())
  try {
    const scene = await zone.scene([], {}, 'srv:_web._tcp.app.test?pp=noop')
    const [first, second, spare] = FOUR as [string, string, string, string] // as many
    for (const address of [first, second, spare]) await zone.listen(address, scene.port)
    const record = (host: string, priority: number, weight: number): string =>
      ['_web._tcp.app.test', host, scene.port, priority, weight].join(',')
    await zone.answer([], {
      services: [record('a.test', 10, 10), record('b.test', 10, 30), record('c.test', 20, 10)],
      hosts: { [first]: 'a.test', [second]: 'b.test', [spare]: 'c.test' },
    })
    const counts = countsOf(await repeat(CLIENTS, scene))
    assert.deepEqual(
      [first, second, spare].map(each => counts.get(each)),
      [100, 300, undefined],
    )
    return 'ports, weights 10 and 30, and a backup that gets nothing'
  } finally {
    dns.promises.setServers(before)
  }
}
