// A TCP server that echoes. At SIGTERM it stops listening, lets open connections finish within ten seconds, and reports.

import { pipeline } from 'node:stream/promises'
import { createServer } from 'proxyprotocol/server'

const { PORT = '10007' } = process.env

const server = createServer({ trust: ['127.0.0.1'] }, async ({ socket, signal }) => {
  socket.write(`hello ${socket.remoteAddress}\n`)
  await pipeline(socket, socket, { signal })
})
console.log('listening at', await server.listen(Number(PORT), '127.0.0.1'))

process.once('SIGTERM', () => {
  void server.close({ drain: 10_000 }).then(result => console.log('closed', result))
})
