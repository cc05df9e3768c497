// An HTTP gateway: it reads the header of each client, and sends one that announces the same client to the upstream.
//
// A connection to the upstream speaks for one client, so each client's connection gets a Client of undici's own.

import { createServer } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { connector, headerFor } from 'proxyprotocol/client'
import { attach } from 'proxyprotocol/server'
import { Client } from 'undici'

const { PORT = '8080', UPSTREAM = 'http://127.0.0.1:8081' } = process.env

/** Headers that are about one connection, and end with it. */
const HOP_BY_HOP = ['connection', 'expect', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']

/** @type {WeakMap<import('node:net').Socket, Client>} */
const clients = new WeakMap()

const server = attach(createServer(onRequest), { trust: ['127.0.0.1'] })
server.on('connection', socket => {
  const client = new Client(UPSTREAM, { connect: connector(headerFor(socket)) })
  clients.set(socket, client)
  socket.once('close', () => void client.destroy())
})
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening at', server.address()))

/** @type {import('node:http').RequestListener} */
function onRequest(request, response) {
  pass(request, response).catch((/** @type {unknown} */ error) => {
    console.error(error)
    if (response.headersSent) response.destroy()
    else response.writeHead(502).end()
  })
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
async function pass(request, response) {
  const client = clients.get(request.socket)
  if (client === undefined) throw new Error('a request came without a connection')
  const { statusCode, headers, body } = await client.request({
    method: /** @type {import('undici').Dispatcher.HttpMethod} */ (request.method),
    path: request.url ?? '/',
    headers: withoutHops(request.headers),
    body: request.headers['content-length'] || request.headers['transfer-encoding'] ? request : null,
  })
  response.writeHead(statusCode, withoutHops(headers))
  await pipeline(body, response)
}

/** @param {Record<string, string | string[] | undefined>} headers */
function withoutHops(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)))
}
