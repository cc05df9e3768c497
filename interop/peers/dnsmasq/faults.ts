// The relay lives with answers that are missing, and with addresses that do not respond.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Case } from '../../peer.ts'
import { until } from '../../harness.ts'
import { assertNoFailure, followed, repeat, type Zone } from './zone.ts'

const TWO = ['127.0.0.2', '127.0.0.3']
const SILENT = '127.0.0.9'
/** Look-ups that fail. */
const MANY = 30
/** Milliseconds; a member on the loopback responds within a few. */
const SLOW = 100
const FAILS = 3

export function survivesFaults(zone: Zone): readonly Case[] {
  return [
    { direction: 'resolves', name: 'NXDOMAIN for many look-ups', run: () => unknownName(zone) },
    {
      direction: 'resolves',
      name: 'one address that drops packets, with checks',
      run: () => blackHole(zone),
    },
  ]
}

async function unknownName(zone: Zone): Promise<string> {
  await zone.answer(TWO)
  const scene = await zone.scene(TWO)
  await repeat(1, scene)
  await zone.answer([])
  const failures = (): number => scene.relay.upstreams().names[0]?.failures ?? 0
  const target = failures() + MANY
  while (failures() < target) await repeat(1, scene)
  assert.match(String(scene.relay.upstreams().names[0]?.lastFailure), /ENOTFOUND|ENODATA/)
  assertNoFailure(scene)
  return 'no failure'
}

async function blackHole(zone: Zone): Promise<string> {
  await zone.answer(TWO)
  const scene = await zone.scene(TWO, {
    timeouts: { connect: 600 },
    health: { fails: FAILS, check: { interval: 200, timeout: 200, fall: 1 } },
  })
  await repeat(TWO.length, scene)
  await swallow(zone, scene.port)
  await zone.answer([...TWO, SILENT])
  await followed(scene)
  const isDown = (): boolean =>
    scene.relay.upstreams().upstreams[0]?.members.some(({ state }) => state === 'down') === true
  const all = [...(await repeat(20, scene))]
  await until(() => isDown() || undefined, 'checks that find it down')
  all.push(...(await repeat(100, scene)))
  const slow = all.filter(({ milliseconds }) => milliseconds > SLOW).length
  assert.ok(slow <= FAILS, `${slow} slow connections`)
  return 'at most health.fails slow connections'
}

/** A listener that is stopped, with a full queue: the kernel drops what else comes for it. */
async function swallow({ harness }: Zone, port: number): Promise<void> {
  const script = `require('node:net').createServer().listen({ host: '${SILENT}', port: ${port}, backlog: 1 }, () => console.log('up'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  harness.atEnd(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.kill('SIGSTOP')
  for (;;) {
    const socket = connect({ host: SILENT, port }).on('error', () => undefined)
    harness.atEnd(() => socket.destroy())
    const silent = new AbortController()
    const first = await Promise.race([
      once(socket, 'connect', silent).then(() => 'connected'),
      pause(2 * SLOW, 'silent', silent),
    ])
    silent.abort()
    if (first === 'silent') return
  }
}
