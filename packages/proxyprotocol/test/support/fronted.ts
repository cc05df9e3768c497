// A server behind front().

import assert from 'node:assert/strict'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { listenRaw } from 'test-support/sockets'
import { front, type FrontServer, type HeaderServerOptions } from '../../src/server/index.ts'
import { createHarness, type Harness } from './harness.ts'
import { V2 } from './headers.ts'

interface Fronted {
  readonly server: FrontServer
  readonly port: number
  readonly errors: unknown[]
}

export async function serve(
  harness: Harness,
  target: Server | { address: string; port: number },
  options: Partial<HeaderServerOptions> = {},
): Promise<Fronted> {
  const errors: unknown[] = []
  const onError = (error: unknown): unknown => errors.push(error)
  const server = front(target, { trust: ['127.0.0.1'], onError, ...options })
  harness.watch(server)
  harness.defer(() => assert.deepEqual(errors, []))
  const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
  return { server, port, errors }
}

/** A front whose target's sockets are the test's own. */
export async function raw(
  t: TestContext,
): Promise<Fronted & { readonly harness: Harness; readonly accept: () => Promise<Socket> }> {
  const harness = createHarness(t)
  const { port, accept } = await listenRaw(harness)
  return { ...(await serve(harness, { address: '127.0.0.1', port })), harness, accept }
}

export function dialWithHeader(harness: Harness, port: number): Socket {
  const client = harness.dial(port)
  client.write(V2)
  return client
}
