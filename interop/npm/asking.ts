// A request behind a header, for tests of servers that tell their clients who they are.

import { once } from 'node:events'
import http, { type OutgoingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { openSocket } from 'proxyprotocol/client'
import { CLIENT, headerOf, HOST } from './support.ts'

export interface AskOptions {
  readonly headers?: OutgoingHttpHeaders
  /** The client that the header names. */
  readonly address?: string
  /** Makes it a POST. */
  readonly body?: string
}

/** Sends a request, and gives the body of the answer. */
export async function ask(port: number, options: AskOptions = {}): Promise<string> {
  const { headers, address, body } = options
  const header = headerOf(CLIENT.port, address)
  const request = http.request({
    host: 'localhost',
    method: body === undefined ? 'GET' : 'POST',
    headers,
    createConnection: () => openSocket({ host: HOST, port }, header),
  })
  request.end(body)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const answer = await text(response)
  request.destroy()
  return answer
}
