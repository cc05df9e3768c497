// What lookup() makes of each kind of reply that no name server should send.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startHostileServer } from 'test-support/hostile-name-server'
import { hostileKinds, type HostileKind } from 'test-support/hostile-replies'
import { lookup } from '../../src/dnsbl/index.ts'
import type { Listing } from '../../src/dnsbl/index.ts'
import { ADDRESS, codeOf } from '../support/dnsbl.ts'

/** In milliseconds, where nothing ends the look-up before; a reply of a thousand bytes that drips takes longer. */
const SHORT = 300
/** In milliseconds, where a reply ends it: longer than a busy machine takes. */
const LONG = 10_000

function endOf(listing: Listing): unknown {
  if (listing.status === 'listed') return listing.code
  if (listing.status === 'clear') return 'clear'
  return listing.reason === 'resolver_error' ? codeOf(listing.cause) : listing.reason
}

for (const [name, kind] of Object.entries<HostileKind>(hostileKinds)) {
  test(`lookup() ends with ${kind.ends} where a name server sends ${name}`, async t => {
    const server = await startHostileServer(kind)
    t.after(() => server.close())
    const timeout = kind.ends === 'timeout' ? SHORT : LONG
    const listing = await lookup(ADDRESS, 'bl.example', { servers: [server.address], timeout })
    assert.equal(endOf(listing), kind.ends)
  })
}
