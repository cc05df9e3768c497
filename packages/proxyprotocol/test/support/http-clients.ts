// Clients of HTTP that run over a stream which starts with a header, with as many requests on it as a test wants.

import { once } from 'node:events'
import http2 from 'node:http2'
import type { Duplex } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import tls from 'node:tls'

/** The JSON that a request was answered with. */
export type Answer = Readonly<Record<string, unknown>>

/** The requests of one connection. */
export interface Requests {
  readonly count: number
  /** All at once, in one segment where the protocol allows it; otherwise each after the answer to the one before. */
  readonly pipelined?: boolean
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends requests over a stream and ends it; rejects when it is closed before all are answered. */
export type HttpClient = (stream: Duplex, requests: Requests) => Promise<Answer[]>

/** By what they speak: HTTP/1.1 and HTTP/2, bare and over TLS. */
export const httpClients = {
  'HTTP/1.1': askHttp1,
  'HTTP/1.1 over TLS': (stream, requests) => askHttp1(secure(stream, 'http/1.1'), requests),
  'HTTP/2': (stream, requests) => askHttp2(() => stream, requests),
  'HTTP/2 over TLS': (stream, requests) => askHttp2(() => secure(stream, 'h2'), requests),
} as const satisfies Readonly<Record<string, HttpClient>>

function secure(stream: Duplex, protocol: string): tls.TLSSocket {
  return tls.connect({ socket: stream, rejectUnauthorized: false, ALPNProtocols: [protocol] })
}

async function askHttp1(stream: Duplex, { count, pipelined, headers = {} }: Requests): Promise<Answer[]> {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`)
  const request = ['GET / HTTP/1.1', ...lines, '', ''].join('\r\n')
  const bodies = bodiesOf(stream)
  const answers: Answer[] = []
  if (pipelined) stream.write(request.repeat(count))
  for (let i = 0; i < count; i++) {
    if (!pipelined) stream.write(request)
    const { value } = await bodies.next()
    if (value === undefined) throw new Error('the connection was closed before the answer')
    answers.push(JSON.parse(value) as Answer)
  }
  stream.end()
  stream.destroy()
  return answers
}

/** The bodies of the answers that come over a stream, one after the other. */
async function* bodiesOf(stream: Duplex): AsyncGenerator<string, undefined> {
  let text = ''
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    text += chunk.toString()
    for (;;) {
      const [head = '', length = ''] = /^[^]*?\r\ncontent-length: (\d+)\r\n[^]*?\r\n\r\n/i.exec(text) ?? []
      const end = head.length + Number(length)
      if (head === '' || text.length < end) break
      yield text.slice(head.length, end)
      text = text.slice(end)
    }
  }
  return undefined
}

async function askHttp2(connect: () => Duplex, requests: Requests): Promise<Answer[]> {
  const { count, pipelined, headers } = requests
  const session = http2.connect('http://localhost', { createConnection: connect })
  session.on('error', () => {}) // its requests fail with it
  const ask = async (): Promise<Answer> => {
    const text = await textOf(session.request({ ':path': '/', ...headers }))
    return JSON.parse(text) as Answer
  }
  try {
    if (pipelined) return await Promise.all(Array.from({ length: count }, ask))
    const answers: Answer[] = []
    while (answers.length < count) answers.push(await ask())
    return answers
  } finally {
    if (!session.destroyed) {
      session.close()
      await once(session, 'close')
    }
  }
}
