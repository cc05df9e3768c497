// Real HTTP requests to a port of loopback, each on a connection of its own.

import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http'
import { text } from 'node:stream/consumers'

export interface HttpAnswer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export async function ask(port: number, path: string, options: RequestOptions = {}): Promise<HttpAnswer> {
  const asked = request({ host: '127.0.0.1', port, path, agent: false, ...options })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}
