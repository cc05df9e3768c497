// A plane that serves accepted handles: which connections it gets, and how the server counts them.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { outcome } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { ProxyProtocolError } from '../../../src/codec/index.ts'
import { type HandlePlane, planeKey } from '../../../src/node-internals/index.ts'
import type { ConnectionInfo, ServerOptions } from '../../../src/server/index.ts'
import { createHarness, type Harness, type Served } from '../../support/harness.ts'

type Plane = HandlePlane<PlaneConnection, ConnectionInfo>

class PlaneConnection extends EventEmitter {
  readonly id = 'of a plane'
  readonly signal = new AbortController().signal
  readonly activity = undefined
  hasSlot = false
  served = false
  state = 'accepted'
  reason: string | undefined
  readonly info: ConnectionInfo
  readonly #socket: Socket
  readonly #onClosed: () => void

  constructor(handle: unknown, info: ConnectionInfo, onClosed: (connection: PlaneConnection) => void) {
    super()
    this.info = info
    this.#socket = new Socket(untyped({ handle })) // as Node makes them
    this.#onClosed = () => onClosed(this)
  }

  open(): void {
    this.#end('served')
  }

  reject({ code }: ProxyProtocolError): boolean {
    this.reason = code
    this.#end('')
    return true
  }

  #end(text: string): void {
    this.state = 'open'
    this.#socket.on('close', () => {
      this.state = 'closed'
      this.emit('close')
      this.#onClosed()
    })
    this.#socket.resume().end(text)
  }
}

interface Planed extends Served {
  readonly taken: readonly PlaneConnection[]
}

async function serve(
  harness: Harness,
  isReady: boolean,
  options: Partial<ServerOptions> = {},
): Promise<Planed> {
  const taken: PlaneConnection[] = []
  const plane: Plane = {
    isReady,
    accept: (handle, info, server) => {
      const connection = new PlaneConnection(handle, info, each => server.closed(each))
      taken.push(connection)
      return connection
    },
  }
  const given = { version: 'none', ...options, [planeKey]: plane }
  const served = await harness.serve(({ socket }) => void socket.end('by a socket'), untyped(given))
  return { ...served, taken }
}

test('a plane serves connections without sockets, which the server counts as the others', async t => {
  const harness = createHarness(t)
  const { server, port, taken } = await serve(harness, true)
  const client = harness.dial(port)
  assert.equal((await outcome(client.end())).text, 'served')
  await server.close()
  const [connection] = taken
  const { source, destination, via, header, fromLocalhost } = connection?.info ?? assert.fail()
  assert.deepEqual([source, destination], [via.peer, { address: '127.0.0.1', port }])
  assert.deepEqual([header, fromLocalhost], [undefined, true])
  const { accepted, active, closed } = server.stats()
  assert.deepEqual([accepted, active, closed.done], [1, 0, 1])
})

test('a plane that is not ready leaves connections to sockets', async t => {
  const harness = createHarness(t)
  const { port, taken } = await serve(harness, false)
  assert.equal((await outcome(harness.dial(port).end())).text, 'by a socket')
  assert.equal(taken.length, 0)
})

for (const [code, options] of [
  ['denied_acl', { validate: () => new ProxyProtocolError('denied_acl') }],
  ['limit_source', { limits: { perSource: 1 } }],
  ['limit_connections', { limits: { connections: 1 } }],
] as const) {
  test(`a connection of a plane is refused with ${code}`, async t => {
    const harness = createHarness(t)
    const { server, port, taken } = await serve(harness, true, options)
    const first = harness.dial(port)
    await once(first, 'readable') // what it was served, or the end
    await outcome(harness.dial(port).end())
    first.end()
    await server.close()
    assert.equal(taken.length, 2)
    assert.equal(server.stats().closed[code], code === 'denied_acl' ? 2 : 1)
  })
}
