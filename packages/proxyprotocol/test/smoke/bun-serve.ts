// front() before Bun.serve(), which no other runtime has.

import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { front, type FrontServer } from 'proxyprotocol/server'
import { ends } from './ends.ts'

/** As much of Bun as is used here. */
interface BunServer {
  readonly address: AddressInfo
  requestIP(request: Request): AddressInfo | null
  stop(force: boolean): unknown
}
interface Bun {
  serve(options: { hostname: string; port: number; fetch: (request: Request) => Response }): BunServer
}

/** None where there is no Bun. */
export function bunServeCases(): Record<string, () => Promise<void>> {
  const { Bun: bun } = globalThis as { Bun?: Bun } // a global on Bun alone
  if (bun === undefined) return {}
  return {
    'front() of Bun.serve() tells the client, and none for what comes past it': () =>
      ends(async ({ dial, defer }) => {
        const target = bun.serve({
          hostname: '127.0.0.1',
          port: 0,
          fetch: request => new Response(sourceOf(server, target.requestIP(request))),
        })
        defer(() => target.stop(true))
        const server: FrontServer = front(target.address, { trust: ['127.0.0.1'] })
        defer(() => server.abort())
        const where = (await server.listen(0, '127.0.0.1')) as AddressInfo
        const request = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'
        const header = {
          source: { address: '192.0.2.1', port: 1 },
          destination: { address: '192.0.2.2', port: 2 },
        }
        const client = await dial(where, header)
        client.write(request)
        assert.match(await text(client), /\r\n\r\n192\.0\.2\.1$/)
        const stranger = await dial(target.address)
        stranger.write(request)
        assert.match(await text(stranger), /\r\n\r\nnobody$/)
      }),
    'front() refuses a Bun.serve() that listens on more than loopback': () =>
      ends(async ({ defer }) => {
        const target = bun.serve({ hostname: '0.0.0.0', port: 0, fetch: () => new Response('') })
        defer(() => target.stop(true))
        assert.throws(() => front(target.address, { trust: 'anyone' }), {
          name: 'TypeError',
          message: /0\.0\.0\.0/,
        })
      }),
  }
}

function sourceOf(server: FrontServer, peer: AddressInfo | null): string {
  const source = server.infoOf(peer)?.source
  return source && 'address' in source ? source.address : 'nobody'
}
