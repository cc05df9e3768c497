// The server under test, alone in its process: `server.ts SERVER LOAD HEADER`. It tells its parent the port, and the CPU
// time of the process whenever it is asked.
//
// Every server looks at the client's address once for each request or connection and sends it back.

import { subscribe } from 'node:diagnostics_channel'
import http, { type RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { attach, createServer, diagnosticsChannels, type RejectedMessage } from 'proxyprotocol/server'

import type { HeaderKind, LoadKind, ServerKind } from './contender.ts'

/** What the server tells its parent. */
export type ServerMessage = { readonly port: number } | { readonly cpuMicroseconds: number }

interface Wrapped {
  createServer(listener: unknown): Server
}

/** The bytes of a reply to the `net` load. */
const REPLY_BYTES = 16

// The package has no types.
const proxywrap = createRequire(import.meta.url)('findhit-proxywrap') as {
  proxy(module: object): Wrapped
}
// Our parent chose them.
const [kind, load, header] = process.argv.slice(2) as [ServerKind, LoadKind, HeaderKind]

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  tell({ cpuMicroseconds: user + system })
})
process.on('disconnect', () => process.exit())
subscribe(diagnosticsChannels.rejected, showRefusal)
tell({ port: await (kind === 'createServer' ? listenAwaited() : listen(serverOf(kind))) })

function tell(message: ServerMessage): void {
  process.send?.(message)
}

async function listenAwaited(): Promise<number> {
  const options =
    header === 'none' ? ({ version: 'none' } as const) : ({ version: header, trust: ['127.0.0.1'] } as const)
  const server = createServer(options, ({ socket }) => {
    reply(socket)
    return new Promise(resolve => socket.once('end', resolve))
  })
  const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo // TCP
  return port
}

/** No connection is to be refused; if one is, its reason stands beside the error that ends the run. */
function showRefusal(message: unknown): void {
  console.error((message as RejectedMessage).error) // the channel's documented type
}

function listen(server: Server): Promise<number> {
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)) // TCP
  })
}

function serverOf(by: Exclude<ServerKind, 'createServer'>): Server {
  const isNet = load === 'net'
  if (by === 'findhit-proxywrap') {
    return isNet ? proxywrap.proxy(net).createServer(reply) : proxywrap.proxy(http).createServer(answer)
  }
  const server = isNet ? net.createServer({ noDelay: true }, reply) : http.createServer(answer)
  if (by === 'bare') return server
  return attach(server, { trust: ['127.0.0.1'], version: header === 'v1' ? 'v1' : 'v2' })
}

function answer(...[request, response]: Parameters<RequestListener>): void {
  response.end(request.socket.remoteAddress)
}

function reply(socket: Socket): void {
  socket.on('error', () => socket.destroy())
  socket.on('data', () => socket.write((socket.remoteAddress ?? '').padEnd(REPLY_BYTES)))
}
