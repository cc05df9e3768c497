// Events come once a second, from one reading for all streams. A new stream displaces the oldest, so that forgotten
// pages shut out no operator.

import type { IncomingMessage, ServerResponse } from 'node:http'

export const EVENTS = 'text/event-stream; charset=utf-8'
/** Each holds a connection of the listener, and most of those must be left to others. */
const MAX_STREAMS = 4
const INTERVAL = 1_000
/** A reader that misses so many readings in a row is disconnected. */
const PATIENCE = 5
/** After so long a browser tries again. */
const RETRY = 2_000

const DATA = Buffer.from('data: ')
const END = Buffer.from('\n\n')

export class EventStreams {
  readonly #read: () => Promise<readonly Uint8Array[]>
  readonly #onError: (error: unknown) => void
  /** How many readings in a row each has missed; the oldest first. */
  readonly #streams = new Map<ServerResponse, number>()
  #timer: NodeJS.Timeout | undefined
  #isReading = false

  /** @param read gives the data of an event, one line. */
  constructor(read: () => Promise<readonly Uint8Array[]>, onError: (error: unknown) => void) {
    this.#read = read
    this.#onError = onError
  }

  async open(response: ServerResponse): Promise<void> {
    // Behind another answer on its connection it would wait for the end of that, and Node would not report its own.
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
      // Their readers see that, and ask again.
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

/** A browser asks for a page from elsewhere, which could not read the stream, but would hold it. */
export function isForeign({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  return site === 'cross-site' || site === 'same-site'
}
