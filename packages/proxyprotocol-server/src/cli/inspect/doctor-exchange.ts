// One attempt at a server: header and TLS in a given order, a small HTTP request, and what comes back before an
// absolute deadline.

import { EventEmitter, once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { encodeHeader, type HeaderInit } from 'proxyprotocol'

/** For a server that speaks first. */
export const FIRST_WORD = 250
const KEPT_BYTES = 256

export type Step = 'v1' | 'v2' | 'local' | 'tls'

export interface Target {
  readonly host: string
  readonly port: number
  readonly timeout: number
}

export type Outcome = 'answered' | 'closed' | 'reset' | 'silent' | 'tls_failed' | 'unreachable'

export interface Observation {
  readonly outcome: Outcome
  readonly tls: string | undefined
  readonly asked: boolean
  readonly answer: Uint8Array
  readonly detail: string | undefined
  readonly milliseconds: number
}

type Seen = Omit<Observation, 'milliseconds'>

const NOTHING = { tls: undefined, asked: false, answer: new Uint8Array(), detail: undefined } as const

/** Never rejects, because a failure is a finding. */
export async function exchange(target: Target, steps: readonly Step[]): Promise<Observation> {
  const start = performance.now()
  const signal = AbortSignal.timeout(target.timeout)
  const { host, port } = target
  const socket = connect({ host, port, noDelay: true }).on('error', ignore)
  let seen: Seen
  try {
    await once(socket, 'connect', { signal })
    seen = await attempt(socket, steps, { host, signal })
  } catch (error) {
    seen = { ...NOTHING, ...connectFault(error as NodeJS.ErrnoException, target.timeout) } // of Node, the signal, or the codec
  } finally {
    socket.destroy()
  }
  return { ...seen, milliseconds: Math.round(performance.now() - start) }
}

interface Means {
  readonly host: string
  readonly signal: AbortSignal
}

async function attempt(socket: Socket, steps: readonly Step[], { host, signal }: Means): Promise<Seen> {
  let stream: Socket | TLSSocket = socket
  let tls: string | undefined
  for (const step of steps) {
    if (step !== 'tls') {
      stream.write(encodeHeader(headerOf(step, socket)))
      continue
    }
    const secure = secured(socket, host)
    stream = secure
    try {
      await once(secure, 'secureConnect', { signal })
    } catch (error) {
      return { ...NOTHING, ...tlsFault(error as NodeJS.ErrnoException, signal) } // Node's own, or that of the signal
    }
    tls = String(secure.getProtocol()) // connected sockets have an address
  }
  return { ...(await conversation(stream, host, signal)), tls }
}

function headerOf(step: 'v1' | 'v2' | 'local', socket: Socket): HeaderInit {
  if (step === 'local') return { command: 'LOCAL' }
  const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = socket
  const source = { address: localAddress, port: localPort }
  const destination = { address: remoteAddress, port: remotePort }
  return { version: step === 'v1' ? 1 : 2, source, destination }
}

/** The certificate is not checked, because nothing secret is sent. */
function secured(socket: Socket, host: string): TLSSocket {
  const name = isIP(host) === 0 ? { servername: host } : {}
  return connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], ...name }).on(
    'error',
    ignore,
  )
}

async function conversation(stream: Socket, host: string, signal: AbortSignal): Promise<Omit<Seen, 'tls'>> {
  const watch = watching(stream)
  const patience = setTimeout(watch.giveUp, FIRST_WORD) // AbortSignal.any() may lose a timeout to the garbage collector
  await watch.news(signal)
  clearTimeout(patience)
  const asked = watch.isQuiet()
  if (asked) {
    stream.write(
      `GET / HTTP/1.1\r\nHost: ${isIP(host) === 6 ? `[${host}]` : host}\r\nConnection: close\r\n\r\n`,
    )
    await watch.news(signal)
  }
  return { ...watch.seen(), asked }
}

interface Watch {
  news(signal: AbortSignal): Promise<void>
  readonly giveUp: () => void
  isQuiet(): boolean
  seen(): Pick<Seen, 'outcome' | 'answer' | 'detail'>
}

function watching(stream: Socket): Watch {
  const events = new EventEmitter()
  let answer = Buffer.alloc(0)
  let end: 'closed' | 'reset' | 'tls_failed' | undefined
  let detail: string | undefined
  stream
    .on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]).subarray(0, KEPT_BYTES)
      events.emit('news')
    })
    .on('error', (error: NodeJS.ErrnoException) => {
      end ??= isOfTls(error) ? 'tls_failed' : 'reset'
      if (isOfTls(error)) detail = error.reason
    })
    .on('end', () => (end ??= 'closed'))
    .on('close', () => {
      end ??= 'closed'
      events.emit('news')
    })
  const isQuiet = (): boolean => answer.length === 0 && end === undefined
  return {
    isQuiet,
    giveUp: () => void events.emit('news'),
    news: async signal => {
      if (isQuiet()) await once(events, 'news', { signal }).catch(ignore)
    },
    seen: () => ({ outcome: answer.length > 0 ? 'answered' : (end ?? 'silent'), answer, detail }),
  }
}

/** Node reports an end within the handshake as a reset, in words. */
function tlsFault(error: NodeJS.ErrnoException, signal: AbortSignal): Pick<Seen, 'outcome' | 'detail'> {
  if (signal.aborted) return { outcome: 'silent', detail: undefined }
  if (error.message.includes('before secure TLS connection was established'))
    return { outcome: 'closed', detail: undefined }
  if (!isOfTls(error)) return { outcome: 'reset', detail: undefined }
  return { outcome: 'tls_failed', detail: error.reason }
}

function isOfTls(error: NodeJS.ErrnoException): error is NodeJS.ErrnoException & { readonly reason: string } {
  return error.code?.startsWith('ERR_SSL') === true
}

/** After an immediate reset the socket has lost its address, which the header needs. */
function connectFault(error: NodeJS.ErrnoException, timeout: number): Pick<Seen, 'outcome' | 'detail'> {
  if (error.code === 'ECONNRESET' || error instanceof TypeError)
    return { outcome: 'reset', detail: undefined }
  const detail = error.name === 'AbortError' ? `no connection within ${timeout} ms` : error.message
  return { outcome: 'unreachable', detail }
}

function ignore(): void {
  // The caller sees the failure elsewhere.
}
