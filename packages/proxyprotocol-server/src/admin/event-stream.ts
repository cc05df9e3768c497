// A new stream displaces the oldest, so that forgotten pages shut out no operator.

import type { IncomingMessage, ServerResponse } from 'node:http'

export const EVENTS = 'text/event-stream; charset=utf-8'
/** Each holds a connection of the listener. */
const MAX_STREAMS = 4
const INTERVAL = 1_000
const PATIENCE = 5
const RETRY = 2_000

const DATA = Buffer.from('data: ')
const END = Buffer.from('\n\n')

export class EventStreams {
  readonly #read: () => Promise<readonly Uint8Array[]>
  readonly #onError: (error: unknown) => void
  /** Readings in a row that each has missed; the oldest stream first. */
  readonly #streams = new Map<ServerResponse, number>()
  #timer: NodeJS.Timeout | undefined
  #isReading = false

  constructor(read: () => Promise<readonly Uint8Array[]>, onError: (error: unknown) => void) {
    this.#read = read
    this.#onError = onError
  }

  async open(response: ServerResponse): Promise<void> {
    // Node would not report the end of a response behind another one.
    if (response.socket === null) return void response.req.socket.destroy()
    this.#makeRoom()
    this.#streams.set(response, 0)
    response.on('close', () => this.#forget(response))
    response.writeHead(200, {
      'content-type': EVENTS,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close', // when it ends, nothing else is asked for on it
    })
    response.write(`retry: ${String(RETRY)}\n\n`)
    this.#timer ??= setInterval(() => void this.#second(), INTERVAL).unref() // never rejects
    await this.#send(stream => stream === response)
  }

  close(): void {
    this.#streams.clear()
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #makeRoom(): void {
    const [oldest] = this.#streams.keys()
    if (oldest === undefined || this.#streams.size < MAX_STREAMS) return
    this.#streams.delete(oldest)
    if (oldest.writableNeedDrain) oldest.destroy()
    else oldest.end(`event: displaced\ndata: ${String(MAX_STREAMS)}\n\n`)
  }

  #forget(response: ServerResponse): void {
    this.#streams.delete(response)
    if (this.#streams.size === 0) this.close()
  }

  async #second(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    await this.#send(() => true)
    this.#isReading = false
  }

  async #send(isMeant: (stream: ServerResponse) => boolean): Promise<void> {
    try {
      const event = Buffer.concat([DATA, ...(await this.#read()), END])
      for (const [stream, missed] of this.#streams) if (isMeant(stream)) this.#write(stream, missed, event)
    } catch (error) {
      this.#onError(error)
      for (const stream of this.#streams.keys()) if (isMeant(stream)) stream.destroy()
    }
  }

  #write(stream: ServerResponse, missedBefore: number, event: Uint8Array): void {
    const missed = stream.writableNeedDrain ? missedBefore + 1 : 0
    this.#streams.set(stream, missed)
    if (missed === 0) stream.write(event)
    else if (missed === PATIENCE) stream.destroy()
  }
}

/** A page from elsewhere could not read the stream, but would hold it. */
export function isForeign({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  return site === 'cross-site' || site === 'same-site'
}
