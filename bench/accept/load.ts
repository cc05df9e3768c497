// The load: so many connections or requests, 64 at a time, each reply checked; one that is wrong or missing fails the run.
//
// The event loop never sleeps meanwhile: a virtual CPU that sleeps costs the process that wakes it, which would be the server,
// the more often the slower it is.

import { connect } from 'node:net'
import { encodeHeader } from 'proxyprotocol'

import type { HeaderKind, LoadKind } from './contender.ts'

/** What is to be done to one server. */
export interface Job {
  readonly port: number
  readonly load: LoadKind
  readonly header: HeaderKind
  /** How many connections, or how many requests where connections stay open; a multiple of 64. */
  readonly operations: number
}

/** Who a connection is made for. */
interface Client {
  readonly address: string
  /** The header and the first request, which leave in one write. */
  readonly first: Buffer
  readonly request: Buffer
  /** What the last bytes of the reply are. */
  readonly replyEnd: string
}

export const AT_A_TIME = 64
/** With an address each, so that a reply to another client shows; one octet has room for as many. */
const CLIENTS = 250
/** Bytes of a request and of a reply. */
const EXCHANGE_BYTES = 16
/** Milliseconds; the slowest run takes a few seconds. */
const TIMEOUT = 60_000

/** One for all: what was read is looked at before anything else is read. */
const buffer = Buffer.alloc(65_536)

/**
 * Does a job.
 *
 * @returns how many seconds it took.
 * @throws Error when a reply is wrong or missing.
 */
export async function run(job: Job): Promise<number> {
  const sleep = stayAwake()
  const start = performance.now()
  try {
    await perform(job)
    return (performance.now() - start) / 1000
  } finally {
    sleep()
  }
}

function stayAwake(): () => void {
  let awake = true
  const turn = (): void => {
    if (awake) setImmediate(turn)
  }
  turn()
  return () => {
    awake = false
  }
}

function perform(job: Job): Promise<void> {
  const keepsOpen = job.load === 'keep-alive'
  const connections = keepsOpen ? AT_A_TIME : job.operations
  const requests = keepsOpen ? job.operations / AT_A_TIME : 1
  const all = clientsOf(job)
  return new Promise((resolve, reject) => {
    let started = 0
    let finished = 0
    const timer = setTimeout(() => {
      reject(new Error(`${finished} of ${connections} connections had finished after ${TIMEOUT} ms`))
    }, TIMEOUT)
    const start = (): void => {
      const client = all[started++ % all.length] as Client // the remainder is below the length
      converse(client, { job, requests, done })
    }
    const done = (error?: Error): void => {
      finished++
      if (error) reject(error)
      else if (started < connections) start()
      else if (finished === connections) resolve()
      if (error !== undefined || finished === connections) clearTimeout(timer)
    }
    for (let i = 0; i < AT_A_TIME; i++) start()
  })
}

interface Conversation {
  readonly job: Job
  readonly requests: number
  readonly done: (error?: Error) => void
}

function converse(client: Client, { job: { port, load }, requests, done }: Conversation): void {
  const { address, first, request, replyEnd } = client
  let left = requests
  let reply = ''
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback: onBytes } })
  socket.write(first)
  socket.on('error', onFailure).on('close', () => {
    if (left === 0) done()
    else
      onFailure(
        new Error(
          `the connection of ${address} ended, ${left} replies missing, and it got ${JSON.stringify(reply)}`,
        ),
      )
  })

  function onBytes(count: number): boolean {
    reply += buffer.toString('latin1', 0, count)
    if (!reply.endsWith(replyEnd)) return true
    if (load !== 'net' && !reply.startsWith('HTTP/1.1 200 OK\r\n'))
      onFailure(new Error(`${address}: ${reply}`))
    reply = ''
    left--
    if (left > 0) socket.write(request)
    else if (load !== 'http') socket.end() // there the server ends it
    return true
  }

  function onFailure(error: Error): void {
    socket
      .removeAllListeners('close')
      .on('error', () => undefined)
      .destroy()
    done(error)
  }
}

function clientsOf({ load, header }: Job): readonly Client[] {
  const addresses = Array.from({ length: CLIENTS }, (_, i) => `192.0.2.${String(i + 1)}`)
  const request = Buffer.from(requestOf(load))
  return (header === 'none' ? ['127.0.0.1'] : addresses).map(address => ({
    address,
    first: Buffer.concat([headerOf(header, address), request]),
    request,
    replyEnd: load === 'net' ? address.padEnd(EXCHANGE_BYTES) : `\r\n\r\n${address}`,
  }))
}

function requestOf(load: LoadKind): string {
  if (load === 'net') return 'x'.repeat(EXCHANGE_BYTES)
  const connection = load === 'http' ? 'close' : 'keep-alive'
  return `GET / HTTP/1.1\r\nHost: www.example.org\r\nConnection: ${connection}\r\n\r\n`
}

function headerOf(header: HeaderKind, address: string): Uint8Array {
  if (header === 'none') return new Uint8Array()
  return encodeHeader({
    version: header === 'v1' ? 1 : 2,
    source: { address, port: 56_324 },
    destination: { address: '198.51.100.7', port: 443 },
  })
}
