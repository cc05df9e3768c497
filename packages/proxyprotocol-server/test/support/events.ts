// A reader of server-sent events, one by one.

import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { TestContext } from 'node:test'
import { atEnd } from './teardown.ts'

export interface SentEvent {
  readonly name: string
  readonly data: string
}

export interface EventReader {
  readonly headers: IncomingHttpHeaders
  /** The next event; undefined where the stream has ended. */
  next(): Promise<SentEvent | undefined>
  /** Goes away. */
  close(): void
}

/** Opens a stream; it is closed at the test's end. */
export async function readEvents(t: TestContext, port: number): Promise<EventReader> {
  const asked = request({ host: '127.0.0.1', port, path: '/events', agent: false }).end()
  atEnd(t, () => asked.destroy())
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.setEncoding('utf8')
  const events = eventsOf(response)
  return {
    headers: response.headers,
    next: async () => (await events.next()).value,
    close: () => void asked.destroy(),
  }
}

async function* eventsOf(response: IncomingMessage): AsyncGenerator<SentEvent, undefined> {
  let text = ''
  try {
    for await (const piece of response) {
      text += String(piece)
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n')
        text = text.slice(end + 2)
        const fields = new Map(lines.map(line => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)]))
        const data = fields.get('data')
        if (data !== undefined) yield { name: fields.get('event') ?? 'message', data }
      }
    }
  } catch {
    // cut off: no more events either way
  }
  return undefined
}
