// How a proof's clients reach the relay and the relay its upstream: what holds on one transport has to hold on each.

import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { dial } from './sockets.ts'
import { startUpstream, type Upstream } from './upstream.ts'

export interface Transport {
  readonly name: string
  /** The relay's listen address. */
  readonly source: string
  /** The relay's upstream address, without a header, for a port. */
  upstreamAt(port: number): string
  startUpstream(t: TestContext, handle: (socket: Socket) => void): Promise<Upstream>
  dial(t: TestContext, port: number): Socket
  /** Cuts the stream. */
  readonly reset: (socket: Socket) => void
}

const plain: Transport = {
  name: 'plain',
  source: '127.0.0.1:0',
  upstreamAt: port => `127.0.0.1:${port}?pp=noop`,
  startUpstream,
  dial,
  reset: socket => void socket.resetAndDestroy(),
}

/** Every transport that the relay has. */
export const transports: readonly Transport[] = [plain]
