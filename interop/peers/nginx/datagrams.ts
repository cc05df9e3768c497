// nginx in front of UDP: it puts a version 1 header in front of the first datagram of a client, and none in front of others.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { answerOf, startDatagramServer } from '../../datagrams.ts'
import { ADDRESS, QUERY } from '../../dns.ts'
import type { Case } from '../../peer.ts'
import type { NginxServers } from './servers.ts'

export async function datagrams(servers: NginxServers): Promise<Case> {
  const timeouts = { flow: 61_000 } // longer than proxy_timeout
  const { port: behind, seen } = await startDatagramServer(servers.harness, {
    framing: 'unsafe-first',
    timeouts,
  })
  const port = await servers.forwardDatagrams(behind)
  return {
    direction: 'sends',
    name: "stream, UDP, to attachDatagrams with framing 'unsafe-first'",
    run: async () => {
      const socket = createSocket('udp4')
      try {
        socket.connect(port, '127.0.0.1')
        await once(socket, 'connect')
        for (let i = 0; i < 2; i++) assert.equal(await answerOf(socket, () => socket.send(QUERY)), ADDRESS)
        const { address, port: own } = socket.address()
        const client = { source: `${address} ${own}`, destination: `127.0.0.1 ${port}` }
        for (const each of seen.slice(0, 2))
          assert.deepEqual(each, { ...client, version: 1, transport: 'STREAM', authority: undefined })
        return 'the client of both datagrams, v1'
      } finally {
        socket.close()
      }
    },
  }
}
