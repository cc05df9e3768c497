// A server that sends each datagram back: `echo.js PORT [attached]`, plainly or behind attachDatagrams().

import dgram from 'node:dgram'
import { attachDatagrams } from 'proxyprotocol/udp'

const [port, attached] = process.argv.slice(2)
const socket = dgram.createSocket({
  type: 'udp4',
  recvBufferSize: 4 << 20,
  // dgram would ask dns.lookup() about each datagram.
  lookup: (host, _options, callback) => callback(null, host, 4),
})
if (attached) attachDatagrams(socket, { trust: ['127.0.0.1'] })
socket.on('message', (bytes, { address, port: from }) =>
  socket.send(bytes, 0, bytes.length, from, address, ignore),
)
socket.bind(Number(port), '127.0.0.1')

/** With a callback, an error is not thrown. */
function ignore() {
  return undefined
}
