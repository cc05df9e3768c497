// kdig of Knot DNS: a DNS client that announces any client by +proxy, in version 2, over UDP.

import assert from 'node:assert/strict'
import { startDatagramServer } from '../datagrams.ts'
import { provide, type Debian } from '../debian.ts'
import { ADDRESS, NAME } from '../dns.ts'
import type { Harness } from '../harness.ts'
import type { Case, Peer } from '../peer.ts'

const program: Debian = { program: 'kdig', packages: ['knot-dnsutils'], version: ['--version'] }

const pairs = [
  ['192.0.2.7#5353', '198.51.100.7#53'],
  ['2001:db8::7#5353', '2001:db8::53#53'],
] as const

export const kdig: Peer = {
  name: 'kdig',
  programs: [program],
  cases: async harness =>
    Promise.resolve(pairs.map(([source, destination]) => ask(harness, source, destination))),
}

function ask(harness: Harness, source: string, destination: string): Case {
  return {
    direction: 'sends',
    name: `+proxy=${source}-${destination} to attachDatagrams`,
    run: async () => {
      const { port, seen } = await startDatagramServer(harness)
      const args = [`+proxy=${source}-${destination}`, '+short', '@127.0.0.1', '-p', String(port), NAME, 'A']
      const { said } = await harness.start(provide(program), args)
      await said(new RegExp(`^${ADDRESS}$`, 'm'))
      const [from, to] = [source.replace('#', ' '), destination.replace('#', ' ')]
      const header = { version: 2, transport: 'DGRAM', authority: undefined }
      assert.deepEqual(seen, [{ source: from, destination: to, ...header }])
      return 'the client, v2 DGRAM'
    },
  }
}
