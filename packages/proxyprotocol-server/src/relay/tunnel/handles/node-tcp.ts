// Node's TCP handles, learnt from a throw-away connection on loopback: Node documents none of this. Read in the sources
// of Node 20.20, 22.23, 24.21 and 26.10; the self-test decides whether it is used.

import { once } from 'node:events'
import { connect, createServer, Socket, type AddressInfo, type Server } from 'node:net'

export interface TcpHandle {
  onread: unknown
  readonly bytesRead: number
  readonly bytesWritten: number
  /** Bytes that the kernel has not taken. */
  readonly writeQueueSize: number
  readStart(): number
  readStop(): number
  /** Each call adds a listener to the handle, so it is called once. */
  useUserBuffer(buffer: Uint8Array): void
  writeBuffer(request: WriteRequest | null, bytes: Uint8Array): number | WriteRequest
  shutdown(request: Request): number
  connect(request: Request, address: string, port: number): number
  connect6(request: Request, address: string, port: number): number
  bind(address: string, port: number): number
  bind6(address: string, port: number, flags: number): number
  getpeername(out: object): number
  getsockname(out: object): number
  setNoDelay(on: boolean): number
  setKeepAlive(on: boolean, seconds: number): number
  /** During a shutdown it fails, and the handle can then not be closed any more. */
  reset(): number
  close(): void
}

/** What an operation of libuv reports to, by `oncomplete`. */
export interface Request {
  oncomplete: ((this: never, status: number) => void) | undefined
}

export interface WriteRequest extends Request {
  /** -1 unless libuv holds it. */
  getAsyncId(): number
  /** Node 26: of a write that was done before `oncomplete` was there. */
  writeStatus?: number | null
}

type Maker<T> = new () => T

export interface NodeTcp {
  readonly Handle: new (type: number) => TcpHandle
  readonly ConnectRequest: Maker<Request>
  readonly ShutdownRequest: Maker<Request>
  /** Undefined if writeBuffer() makes one itself when it needs one, as on Node 26. */
  readonly WriteRequest: Maker<WriteRequest> | undefined
  /** Where `onread` finds the object that reads. */
  readonly owner: symbol
  readonly onread: unknown
}

// Node's own `onread` calls these methods and reads these fields of a socket.
export const kBuffer: unique symbol = symbolOf('kBuffer') as never // a class takes names of fixed types only
export const kBufferCb: unique symbol = symbolOf('kBufferCb') as never // likewise
export const kBufferGen: unique symbol = symbolOf('kBufferGen') as never // likewise
export const kUpdateTimer: unique symbol = symbolOf('kUpdateTimer') as never // likewise

/** A symbol of sockets. */
export function symbolOf(name: string): symbol {
  let at: object | null = new Socket()
  for (; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const found = Object.getOwnPropertySymbols(at).find(({ description }) => description === name)
    if (found) return found
  }
  return Symbol(name) // another runtime: the self-test fails
}

let learnt: NodeTcp | undefined

/** What the last `learn()` found. */
export function nodeTcp(): NodeTcp {
  return learnt as NodeTcp // connections are made only after learn()
}

/** @throws Error if this runtime's sockets have no such handles, or loopback cannot be used. */
export async function learn(signal: AbortSignal): Promise<NodeTcp> {
  const server = createServer(socket => socket.on('error', () => undefined).resume())
  server.listen({ host: '127.0.0.1', port: 0, exclusive: true }) // not through the primary of a cluster
  try {
    await once(server, 'listening', { signal })
    return (learnt = await learnFrom(server, signal))
  } finally {
    server.close()
  }
}

async function learnFrom(server: Server, signal: AbortSignal): Promise<NodeTcp> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1') // it listens on TCP
  try {
    const handle = (socket as unknown as { readonly _handle: SpiedHandle })._handle // every line of Node has one
    const seen = new Map<string, unknown>()
    for (const method of ['connect', 'writeBuffer', 'shutdown'] as const) spy(handle, method, seen)
    await once(socket, 'connect', { signal })
    socket.end(Buffer.alloc(1))
    await once(socket, 'finish', { signal })
    return {
      Handle: handle.constructor as NodeTcp['Handle'],
      ConnectRequest: seen.get('connect') as Maker<Request>,
      ShutdownRequest: seen.get('shutdown') as Maker<Request>,
      WriteRequest: seen.get('writeBuffer') as Maker<WriteRequest> | undefined,
      owner: ownerOf(handle),
      onread: handle.onread,
    }
  } finally {
    socket.destroy()
  }
}

/** @throws Error if there is none. */
export function ownerOf(handle: object): symbol {
  const owner = Object.getOwnPropertySymbols(handle).find(({ description }) => description === 'owner_symbol')
  if (owner === undefined) throw new Error('the handle has no owner')
  return owner
}

type Method = 'connect' | 'writeBuffer' | 'shutdown'

type SpiedHandle = Record<Method, (...args: unknown[]) => unknown> & Pick<TcpHandle, 'onread'>

/** Hides a method for one call, which shows how its request is made. */
function spy(handle: SpiedHandle, method: Method, seen: Map<string, unknown>): void {
  const original = handle[method]
  handle[method] = function (this: unknown, ...args: unknown[]) {
    seen.set(method, (args[0] as object | null)?.constructor)
    handle[method] = original
    return original.apply(this, args)
  }
}
