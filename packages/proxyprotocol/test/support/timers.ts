// Which timers are left: those that the code under test has set and neither cleared nor let fire.

import type { TestContext } from 'node:test'

/** Watches the global timers while the test runs; Node's own modules have others. */
export function pendingTimers(t: TestContext): ReadonlySet<NodeJS.Timeout> {
  const pending = new Set<NodeJS.Timeout>()
  const { setTimeout: set, clearTimeout: clear } = globalThis
  t.mock.method(globalThis, 'setTimeout', (callback: () => void, delay?: number) => {
    const timer = set(() => {
      pending.delete(timer)
      callback()
    }, delay)
    pending.add(timer)
    return timer
  })
  t.mock.method(globalThis, 'clearTimeout', (timer?: NodeJS.Timeout) => {
    if (timer) pending.delete(timer)
    clear(timer)
  })
  return pending
}
