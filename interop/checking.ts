// Cases with the peer as an upstream whose health the relay checks.

import assert from 'node:assert/strict'
import { createRelay, parseService, type CheckText } from 'proxyprotocol-server'
import type { Case } from './peer.ts'
import { until, type Harness } from './harness.ts'

/** Passed checks that a case waits for. */
const PASSED = 3

/** What is checked, and how. */
export interface Checked {
  readonly name: string
  /** An address as users write it. */
  readonly upstream: string
  /** The local address that checks come from, which logs show. */
  readonly source?: string
  readonly check: CheckText
  /** What the failure says; without it, all checks pass. */
  readonly fault?: RegExp
  /** Looks at the peer's log once the checks are over. */
  readonly afterwards?: () => unknown
}

export function checking(harness: Harness, checked: Checked): Case {
  return {
    direction: 'checks',
    name: checked.name,
    run: async () => {
      const fault = await faultOf(harness, checked)
      await checked.afterwards?.()
      if (checked.fault === undefined) assert.equal(fault, undefined)
      else assert.match(String(fault), checked.fault)
      return checked.fault?.exec(String(fault))?.[0] ?? `${String(PASSED)} checks passed`
    },
  }
}

/** The message of the first check that fails, if any. */
async function faultOf(harness: Harness, { upstream, source, check }: Checked): Promise<string | undefined> {
  const health = { check: { interval: 20, rise: 1, fall: 1, ...check } }
  const relay = createRelay(parseService('127.0.0.1:0', [{ address: upstream, source }], { health }))
  harness.atEnd(() => relay.server.abort())
  await relay.listen()
  const found = await until(() => {
    const counts = relay.upstreams().upstreams[0]?.members[0]?.checks
    if (counts === undefined || (counts.passed < PASSED && counts.failed === 0)) return undefined
    return { message: counts.lastFailure?.message }
  }, 'the checks of the relay')
  await relay.server.close()
  return found.message
}
