// What lookup() makes of real name servers in processes of their own.

import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { after, test } from 'node:test'
import { createListingCache, lookup, spamhaus } from '../../src/dnsbl/index.ts'
import { ADDRESS, codeOf, ownQueries, unknown } from '../support/dnsbl.ts'
import { listServers } from '../support/list-servers.ts'

const { zen } = spamhaus

for (const [kind, start] of Object.entries(listServers)) {
  const server = await start()
  after(() => server.stop())
  const servers = [server.address]

  for (const [address, code] of [
    ['192.0.2.1', '127.0.0.2'],
    ['::ffff:192.0.2.1', '127.0.0.2'],
    ['2001:db8::1', '127.0.0.3'],
  ] as const) {
    test(`${kind}: lookup() finds ${address} where the list holds it`, async () => {
      const expected = { status: 'listed', zone: zen.name, code, meaning: zen.meanings[code], also: [] }
      assert.deepEqual(await lookup(address, 'zen.spamhaus.org', { servers }), expected)
    })
  }

  test(`${kind}: lookup() gives every code of an address, in order`, async () => {
    const listing = await lookup('192.0.2.4', zen, { servers })
    assert.ok(listing.status === 'listed', listing.status)
    assert.deepEqual([listing.code, ...listing.also.map(({ code }) => code)], ['127.0.0.4', '127.0.0.10'])
  })

  for (const address of ['192.0.2.2', '2001:db8::2']) {
    test(`${kind}: lookup() is clear where the name does not exist (NXDOMAIN): ${address}`, async () => {
      assert.deepEqual(await lookup(address, [zen, 'empty.example'], { servers }), { status: 'clear' })
    })
  }

  test(`${kind}: lookup() does not know when the list answers with an error code`, async () => {
    const code = '127.255.255.254'
    const answer = { code, meaning: zen.meanings[code] }
    assert.deepEqual(
      await lookup('192.0.2.254', zen, { servers }),
      unknown('zone_error', zen.name, { answer }),
    )
  })

  for (const [zone, reason, code] of [
    ['broken.example', 'server_failure', 'ESERVFAIL'],
    ['refusing.example', 'refused', 'EREFUSED'],
    ['not-served.example', 'refused', 'EREFUSED'],
  ] as const) {
    test(`${kind}: lookup() does not know when the server answers ${code} for ${zone}`, async () => {
      const listing = await lookup(ADDRESS, zone, { servers })
      assert.ok(listing.status === 'unknown', listing.status)
      assert.equal(codeOf(listing.cause), code)
      assert.deepEqual(listing, unknown(reason, zone, { cause: listing.cause }))
    })
  }

  for (const cache of [undefined, createListingCache()]) {
    const how = cache === undefined ? 'without a cache' : 'with a cache'

    test(`${kind}: lookup() ends at its own deadline when the server is silent, ${how}`, async t => {
      const queries = ownQueries(t)
      const listing = await lookup(ADDRESS, [zen, 'silent.example'], { servers, timeout: 60_000, cache })
      assert.equal(listing.status, 'listed')

      const begin = performance.now()
      const zones = ['empty.example', 'silent.example']
      const missing = await lookup(ADDRESS, zones, { servers, timeout: 300, cache })
      assert.deepEqual(missing, unknown('timeout', 'silent.example'))
      assert.ok(performance.now() - begin > 299)
      assert.equal((await Promise.all(queries)).length, 4)
    })
  }

  test(`${kind}: lookup() asks by a resolver of Node's where it is given one`, async () => {
    const resolver = new Resolver()
    resolver.setServers(servers)
    assert.equal((await lookup(ADDRESS, zen, { resolver })).status, 'listed')
    assert.deepEqual(await lookup(ADDRESS, 'empty.example', { resolver }), { status: 'clear' })
    const refused = await lookup(ADDRESS, 'refusing.example', { resolver })
    assert.equal(refused.status === 'unknown' && refused.reason, 'refused')
  })

  test(`${kind}: a cache keeps a listing for exactly the TTL that the server gave it`, async t => {
    let now = 0
    const cache = createListingCache({ now: () => now })
    const queries = ownQueries(t)
    const first = await lookup(ADDRESS, zen, { servers, cache })
    now = 299_999
    assert.deepEqual(await lookup(ADDRESS, zen, { servers, cache }), first)
    assert.equal(queries.length, 1)
    now = 300_000
    assert.deepEqual(await lookup(ADDRESS, zen, { servers, cache }), first)
    assert.equal(queries.length, 2)
  })

  test(`${kind}: lookup() does not know when no server is there any more`, async () => {
    const gone = await start()
    await gone.stop()
    const listing = await lookup(ADDRESS, zen, { servers: [gone.address] })
    assert.ok(listing.status === 'unknown', listing.status)
    assert.equal(codeOf(listing.cause), 'ECONNREFUSED')
  })
}
