// A name service for tests: names that resolve to what the test says, when the test says so.

import dns from 'node:dns'
import type { TestContext } from 'node:test'

type Callback = (error: Error | null, addresses: unknown, family?: number) => void

/** A name whose look-up waits for the test. */
export interface HeldName {
  /** Resolves when the name is asked for. */
  readonly asked: Promise<void>
  /** Answers with these addresses, or fails as an unknown name does where there are none. */
  answer(...addresses: string[]): void
}

/** Makes the process ask the test for one name, and goes on to resolve all others as before. */
export function holdName(t: TestContext, name: string): HeldName {
  const original = dns.lookup as unknown as (...args: unknown[]) => void
  let answer: HeldName['answer'] = () => {}
  let onAsked: (() => void) | undefined
  const asked = new Promise<void>(resolve => {
    onAsked = resolve
  })
  t.mock.method(dns, 'lookup', (host: string, ...rest: unknown[]) => {
    if (host !== name) return original(host, ...rest)
    const callback = rest.pop() as Callback // always the last argument
    const { all } = (rest[0] ?? {}) as { all?: boolean }
    answer = (...addresses) => {
      const found = addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
      const [first] = found
      if (first === undefined) callback(notFound(name), undefined)
      else if (all) callback(null, found)
      else callback(null, first.address, first.family)
    }
    onAsked?.()
  })
  return {
    asked,
    answer: (...addresses) => {
      answer(...addresses)
    },
  }
}

/** A name that resolves at once, every time. */
export function setName(t: TestContext, name: string, ...addresses: string[]): void {
  const held = holdName(t, name)
  void held.asked.then(() => {
    held.answer(...addresses)
  })
}

function notFound(hostname: string): Error {
  const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`)
  return Object.assign(error, { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname })
}
