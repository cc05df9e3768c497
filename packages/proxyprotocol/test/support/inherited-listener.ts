// A server in a process of its own that listens on descriptor 3, as a service manager passes it.

import { once } from 'node:events'
import { createServer } from '../../src/server/index.ts'

const server = createServer({ trust: ['unix'], timeouts: { abort: 1_000 } }, async ({ info, signal }) => {
  process.send?.({ source: info.source, via: info.via })
  await once(signal, 'abort')
})

process.once('message', () => {
  void server.abort().then(result => {
    process.send?.({ result, address: server.address, stats: server.stats() })
    process.disconnect()
  })
})
process.send?.({ address: await server.listen({ fd: 3 }), same: server.address })
