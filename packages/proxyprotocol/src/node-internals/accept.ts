// How sockets come of accepted handles. Node's own way is slow on Node 20, and makes no sockets of another class. The listening handle
// calls `onconnection`, which Node sets for each server. Where it is missing, or gives another kind of handle (Bun), and where a
// limit turns a connection away, Node's own function goes on.

import { channel } from 'node:diagnostics_channel'
import { type BlockList, isIP, type Server, type Socket, type SocketConstructorOpts } from 'node:net'
import { hasAddressGetters } from './addresses.ts'
import { canShareBuffers } from './read-into.ts'

/** The options of an accepted socket. */
export interface AcceptedSettings extends SocketConstructorOpts {
  onread: ReadSettings | undefined
}

/** Where a socket reads to. */
export interface ReadSettings {
  /** Gives the buffer for the next bytes. */
  buffer: () => Uint8Array
  /** Takes them; Node calls it as a method of the socket. */
  callback: (this: never, length: number, buffer: Uint8Array) => boolean
}

/** Makes the socket of an accepted connection. */
export type SocketMaker = (settings: AcceptedSettings) => Socket

type OnConnection = (this: unknown, status: number, accepted: AcceptedHandle | undefined) => void

/** What a server listens with. */
interface ListeningHandle {
  onconnection?: OnConnection
}

/** What libuv has accepted; Bun's handles have no such method. */
interface AcceptedHandle {
  readonly readStart?: unknown
  getpeername?(out: object): number
  close(): void
}

/** What Node keeps of the options of `net.createServer()`. */
interface ServerFields extends Server {
  readonly _handle?: ListeningHandle | null
  /** Counted down by each socket that has a `_server`. */
  _connections: number
  readonly allowHalfOpen: boolean
  readonly pauseOnConnect: boolean
  readonly noDelay: boolean
  readonly keepAlive: boolean
  /** Seconds. */
  readonly keepAliveInitialDelay: number
  readonly highWaterMark: number
  readonly blockList?: BlockList
}

interface AcceptedFields extends Socket {
  server?: Server
  _server?: Server
}

/** The last line of Node whose `onconnection` was read. */
const LAST_KNOWN_LINE = 26

/** Node's own function for each of ours, so that a second call replaces ours and does not wrap it. */
const replaced = new WeakMap<OnConnection, OnConnection>()

/** Node publishes each accepted socket here, for tracing. */
const socketChannel = channel('net.server.socket')

/**
 * Makes a listening server take its sockets from `makeSocket`. Its options, limits and events stay as they are. The last call
 * counts.
 *
 * @returns false, and nothing has changed, where a runtime has no such handle to listen with.
 */
export function acceptAs(server: Server, makeSocket: SocketMaker): boolean {
  const fields = server as ServerFields
  const { _handle: handle } = fields
  if (!isKnownLine() || !canShareBuffers() || !hasAddressGetters()) return false
  if (typeof handle?.onconnection !== 'function') return false
  const onconnection = replaced.get(handle.onconnection) ?? handle.onconnection
  const ours: OnConnection = function (status, accepted) {
    if (accepted?.readStart === undefined || isFull(fields)) return onconnection.call(this, status, accepted)
    if (isBlocked(fields, accepted)) return accepted.close()
    const socket: AcceptedFields = makeSocket(settingsOf(fields, accepted))
    if (fields.noDelay) socket.setNoDelay()
    if (fields.keepAlive) socket.setKeepAlive(true, fields.keepAliveInitialDelay * 1_000)
    fields._connections++
    socket.server = socket._server = server
    server.emit('connection', socket)
    if (socketChannel.hasSubscribers) socketChannel.publish({ socket })
  }
  replaced.set(ours, onconnection)
  handle.onconnection = ours
  return true
}

/** A later line may do more for an accepted socket than this file does. */
function isKnownLine(): boolean {
  return Number.parseInt(process.versions.node, 10) <= LAST_KNOWN_LINE
}

/** Node then emits 'drop'. Lines differ about a limit of 0, which Node's own function knows. */
function isFull({ maxConnections, _connections: open }: ServerFields): boolean {
  return typeof maxConnections === 'number' && open >= maxConnections
}

/** Node 20 and 22 know no block lists of servers. */
function isBlocked({ blockList }: ServerFields, accepted: AcceptedHandle): boolean {
  if (blockList === undefined) return false
  const peer: { address?: string } = {}
  accepted.getpeername?.(peer) // UNIX sockets have none
  const { address } = peer
  return address !== undefined && blockList.check(address, `ipv${isIP(address) as 4 | 6}`) // the kernel gives no names
}

/** A literal gives all of them one hidden class. The last three are Node's own, which Node 20 would add to each. */
function settingsOf(server: ServerFields, handle: AcceptedHandle): AcceptedSettings {
  const settings = {
    handle,
    onread: undefined,
    allowHalfOpen: server.allowHalfOpen,
    pauseOnCreate: server.pauseOnConnect,
    readable: true,
    writable: true,
    readableHighWaterMark: server.highWaterMark,
    writableHighWaterMark: server.highWaterMark,
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
  }
  return settings // Node's types leave out what it does not document
}
