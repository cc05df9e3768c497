// A member with its health check, on clocks that the test moves.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { until } from 'test-support/sockets'
import { parseAddress, settlePool, type ActiveCheck } from '../../src/config/index.ts'
import type { Failure } from '../../src/relay/upstreams/health/index.ts'
import { HealthCheck } from '../../src/relay/upstreams/health-check.ts'
import { Member, type MemberTarget } from '../../src/relay/upstreams/member.ts'
import { UpstreamTls } from '../../src/relay/upstreams/upstream-tls.ts'
import { connectedSockets } from './connections.ts'
import { atEnd } from './teardown.ts'

export const INTERVAL = 1_000
export const COOLDOWN = 400

/** What a try may take where there are no checks. */
const PATIENCE = 300

interface Harness {
  readonly upstream: Member
  readonly check: HealthCheck
  /** Lets the timers go on. */
  readonly pass: (milliseconds: number) => void
  /** Lets the next check begin. */
  readonly begin: () => void
  /** Resolves when so many checks have ended. */
  readonly ended: (count: number) => Promise<void>
  /** The sockets of all checks that have not ended. */
  readonly open: () => number
}

interface StageOptions extends Partial<ActiveCheck> {
  /** Has no checks, and is tried only while it is marked. */
  readonly unchecked?: boolean
  readonly place?: MemberTarget
}

/** A member under check; time stands still unless the test lets it pass. */
export function harness(t: TestContext, address: string, options: StageOptions = {}): Harness {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { unchecked = false, place = {}, ...given } = options
  const checks = { interval: INTERVAL, timeout: 500, rise: 1, fall: 1, ...given }
  const { upstreams, ...settled } = settlePool({
    upstreams: [{ address: parseAddress(address, { role: 'upstream' }) }],
    health: { fails: 1, cooldown: COOLDOWN, ...(unchecked ? {} : { check: checks }) },
  })
  const [settings] = upstreams
  assert.ok(settings)
  const now = (): number => performance.now()
  let tries = 0
  const upstream = new (class extends Member {
    override checked(fault: Failure | undefined): void {
      super.checked(fault)
      tries++
    }
  })(settings, place, {
    ...settled,
    now,
    tell: () => undefined,
    onRoom: () => undefined,
    onChange: () => check.reconsider(),
  })
  const tls = new UpstreamTls(upstreams)
  const check = new HealthCheck(upstream, {
    ...{ tls, cooldown: COOLDOWN, patience: PATIENCE },
  })
  const made = connectedSockets(t)
  const open = (): number => made().filter(({ closed }) => !closed).length
  atEnd(t, async () => {
    check.stop()
    upstream.hush()
    await until(() => open() === 0)
  })
  return {
    upstream,
    check,
    open,
    pass: milliseconds => t.mock.timers.tick(milliseconds),
    begin: () => t.mock.timers.tick(INTERVAL),
    ended: async count => {
      await until(() => tries === count)
      await turn() // the next check is set once the last has been counted
    },
  }
}
