// What the benches of the program share: their options, and this checkout with the one beside it.

import { resolve } from 'node:path'

const SERVER = 'packages/proxyprotocol-server/bin/proxyprotocol-server.js'

export const commonOptions = { beside: { type: 'string' }, node: { type: 'string' } } as const

/** Each checkout to measure, with its built program. */
export function checkouts(beside: string | undefined): { checkout: string; server: string }[] {
  const all = beside === undefined ? ['.'] : ['.', beside]
  return all.map(checkout => ({ checkout, server: resolve(checkout, SERVER) }))
}
