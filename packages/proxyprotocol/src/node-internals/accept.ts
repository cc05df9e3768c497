// Makes our own sockets from accepted handles: Node's `onconnection` is slow on Node 20. Node's function goes
// on for other handles (Bun), or at a limit.

import { channel } from 'node:diagnostics_channel'
import { type BlockList, isIP, type Server, type Socket, type SocketConstructorOpts } from 'node:net'
import { hasAddressGetters } from './addresses.ts'
import { canShareBuffers } from './read-into.ts'

export interface AcceptedSettings extends SocketConstructorOpts {
  onread: ReadSettings | undefined
}

export interface ReadSettings {
  buffer: () => Uint8Array
  callback: (this: never, length: number, buffer: Uint8Array) => boolean
}

export type SocketMaker = (settings: AcceptedSettings) => Socket

type OnConnection = (this: unknown, status: number, accepted: AcceptedHandle | undefined) => void

interface ListeningHandle {
  onconnection?: OnConnection
}

/** Bun's have no `readStart`. */
export interface AcceptedHandle {
  readonly readStart?: unknown
  /** TCP only. */
  getpeername?(out: object): number
  /** TCP only. */
  getsockname?(out: object): number
  close(): void
}

/** False asks for a socket on the handle. */
export type HandleTaker = (handle: AcceptedHandle) => boolean

interface ServerFields extends Server {
  readonly _handle?: ListeningHandle | null
  /** Sockets with a `_server` count it down. */
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

/** The last line whose `onconnection` was read. */
const LAST_KNOWN_LINE = 26

/** A second call must not wrap ours. */
const replaced = new WeakMap<OnConnection, OnConnection>()

/**
 * Sockets that listen at one address, in the options of `listen()`; several need `reusePort`. Before it
 * closes, such a server accepts the clients that wait in the kernel; libuv accepts one in a turn.
 */
export const listenersKey: unique symbol = Symbol('proxyprotocol.listeners')

/** Node publishes each accepted socket. */
const socketChannel = channel('net.server.socket')

/**
 * Makes a listening server use `makeSocket` for handles that `takeHandle` leaves; the last call counts.
 * False, without a change, for an unknown handle.
 */
export function acceptAs(server: Server, makeSocket: SocketMaker, takeHandle?: HandleTaker): boolean {
  const fields = server as ServerFields
  const { _handle: handle } = fields
  if (!isKnownLine() || !canShareBuffers() || !hasAddressGetters()) return false
  if (typeof handle?.onconnection !== 'function') return false
  const onconnection = replaced.get(handle.onconnection) ?? handle.onconnection
  function ours(this: unknown, status: number, accepted: AcceptedHandle | undefined): void {
    if (accepted?.readStart === undefined || isFull(fields)) return onconnection.call(this, status, accepted)
    if (isBlocked(fields, accepted)) return accepted.close()
    if (takeHandle?.(accepted)) return
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

function isKnownLine(): boolean {
  return Number.parseInt(process.versions.node, 10) <= LAST_KNOWN_LINE
}

/** Lines of Node differ about a limit of 0. */
function isFull({ maxConnections, _connections: open }: ServerFields): boolean {
  return typeof maxConnections === 'number' && open >= maxConnections
}

/** Node 20 and 22 have no block lists. */
function isBlocked({ blockList }: ServerFields, accepted: AcceptedHandle): boolean {
  if (blockList === undefined) return false
  const peer: { address?: string } = {}
  accepted.getpeername?.(peer) // UNIX sockets have none
  const { address } = peer
  return address !== undefined && blockList.check(address, `ipv${isIP(address) as 4 | 6}`) // the kernel gives no names
}

/** One hidden class for all. Node 20 would add the last three itself. */
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
  return settings // Node's types lack undocumented fields
}
