// What Node's datagrams cost by themselves: `bare-relay.js PORT UPSTREAM_PORT`, a connected socket for each client and a
// version 2 header, and nothing that a relay needs for more than datagrams that go well.

import dgram from 'node:dgram'
import { encodeHeader } from 'proxyprotocol'

const [port = 0, upstreamPort = 0] = process.argv.slice(2).map(Number)
const destination = { address: '127.0.0.1', port }
/** @type {Map<number, { socket: dgram.Socket, header: Uint8Array }>} */
const flows = new Map()

const options = /** @type {const} */ ({ type: 'udp4', recvBufferSize: 4 << 20, lookup })
const server = dgram.createSocket(options)

server.on('message', (payload, { address, port: from }) => {
  const known = flows.get(from)
  if (known) return known.socket.send([known.header, payload], ignore)
  const socket = dgram.createSocket(options)
  const header = encodeHeader({ source: { address, port: from }, destination, transport: 'DGRAM' })
  flows.set(from, { socket, header })
  socket.on('message', answer => server.send(answer, 0, answer.length, from, address, ignore))
  socket.connect(upstreamPort, '127.0.0.1', () => socket.send([header, payload], ignore))
})
server.bind(port, '127.0.0.1')

/**
 * dgram would ask dns.lookup() about each datagram.
 *
 * @param {string} host
 * @param {unknown} _options
 * @param {(error: null, address: string, family: number) => void} callback
 */
function lookup(host, _options, callback) {
  callback(null, host, 4)
}

/** With a callback, an error is not thrown. */
function ignore() {
  return undefined
}
