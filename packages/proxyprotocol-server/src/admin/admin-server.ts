// The admin listener: health, metrics and statistics over HTTP.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AdminSource } from './admin-source.ts'
import { EVENTS, EventStreams, isForeign } from './event-stream.ts'
import { History } from './history.ts'
import { hostCheck } from './host-check.ts'
import { CONTENT_TYPE, exposition, metrics } from './metrics/index.ts'
import { ProcessFacts } from './process-facts.ts'
import { snapshotOf } from './snapshot.ts'
import { bytesOf } from './slices.ts'
import { statsText } from './stats-document.ts'
import { readStatusPage } from './status-page.ts'

/** Well below the 64 descriptors that the relays' limits leave to the process. */
const MAX_CONNECTIONS = 16
const MAX_HEADER_BYTES = 8 * 1024
const REQUEST_TIMEOUT = 5_000
const STALL_TIMEOUT = 10_000
/** Node checks its timeouts only twice a minute by default. */
const CHECK_INTERVAL = 1_000

const JSON_TYPE = 'application/json; charset=utf-8'
const LINE_FEED = Buffer.from('\n')

export interface AdminOptions {
  readonly hosts?: readonly string[] | undefined
  readonly onError: (error: unknown) => void
}

interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: readonly Uint8Array[]
  readonly headers?: Readonly<Record<string, string>>
}

export class AdminServer {
  readonly #source: AdminSource
  readonly #options: AdminOptions
  readonly #isKnown: (host: string | undefined) => boolean
  readonly #page = readStatusPage()
  readonly #facts = new ProcessFacts()
  readonly #history: History
  readonly #streams: EventStreams
  readonly #http: Server

  constructor(source: AdminSource, options: AdminOptions) {
    this.#source = source
    this.#options = options
    this.#isKnown = hostCheck(options.hosts ?? [])
    this.#history = new History(source.services, options.onError)
    this.#streams = new EventStreams(() => this.#statistics(), options.onError)
    this.#http = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: REQUEST_TIMEOUT,
        requestTimeout: REQUEST_TIMEOUT,
        keepAliveTimeout: REQUEST_TIMEOUT,
        connectionsCheckingInterval: CHECK_INTERVAL,
      },
      (request, response) => void this.#respond(request, response), // never rejects
    )
    this.#http.maxConnections = MAX_CONNECTIONS
    this.#http.setTimeout(STALL_TIMEOUT)
  }

  /** Listens on the loopback if no host is given. */
  async listen({
    host = '127.0.0.1',
    port,
  }: {
    host?: string | undefined
    port: number
  }): Promise<AddressInfo> {
    this.#http.listen({ host, port })
    await once(this.#http, 'listening')
    this.#http.on('error', error => {
      this.#options.onError(error) // accept() fails without a free descriptor, for example: the next may go well
    })
    return this.#http.address() as AddressInfo // it listens at a port
  }

  async close(): Promise<void> {
    this.#history.stop()
    this.#facts.stop()
    this.#streams.close()
    if (!this.#http.listening) return
    this.#http.close()
    this.#http.closeAllConnections()
    await once(this.#http, 'close')
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer | undefined
    try {
      answer = await this.#answer(request, response)
    } catch (error) {
      this.#options.onError(error)
      answer = json(500, { error: 'it could not be read' })
    }
    if (!answer) return
    const { status, contentType, body, headers } = answer
    response.writeHead(status, {
      ...headers,
      'content-type': contentType,
      'content-length': body.reduce((sum, { length }) => sum + length, 0),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    for (const chunk of body) response.write(chunk)
    response.end()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | undefined> {
    const { method, headers, url = '' } = request
    if (!this.#isKnown(headers.host))
      return json(403, { error: 'this host is not known here: see --admin-hosts' })
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return json(405, { error: 'only GET and HEAD are answered' })
    }
    const [path = ''] = url.split('?')
    switch (path) {
      case '/':
        return this.#status()
      case '/events':
        if (isForeign(request)) return json(403, { error: 'a page from elsewhere gets no stream' })
        if (method === 'HEAD') return { status: 200, contentType: EVENTS, body: [] }
        await this.#streams.open(response)
        return undefined
      case '/livez':
        return json(200, { status: 'live' })
      case '/readyz': {
        const status = this.#source.readiness()
        return json(status === 'ready' ? 200 : 503, { status })
      }
      case '/metrics':
        return this.#metrics()
      case '/stats.json':
        return { status: 200, contentType: JSON_TYPE, body: [...(await this.#statistics()), LINE_FEED] }
      default:
        return json(404, { error: 'there are /, /events, /livez, /readyz, /metrics and /stats.json' })
    }
  }

  #status(): Answer {
    const { html, headers } = this.#page
    return { status: 200, contentType: 'text/html; charset=utf-8', body: [Buffer.from(html)], headers }
  }

  async #statistics(): Promise<readonly Uint8Array[]> {
    const { connections } = this.#source
    return bytesOf(statsText({ snapshot: await this.#snapshot(true), history: this.#history, connections }))
  }

  async #metrics(): Promise<Answer> {
    const body = await bytesOf(exposition(metrics, await this.#snapshot(false)))
    return { status: 200, contentType: CONTENT_TYPE, body }
  }

  #snapshot(listing: boolean): ReturnType<typeof snapshotOf> {
    return snapshotOf(this.#source, this.#facts, listing)
  }
}

function json(status: number, value: unknown): Answer {
  return { status, contentType: JSON_TYPE, body: [Buffer.from(JSON.stringify(value)), LINE_FEED] }
}
