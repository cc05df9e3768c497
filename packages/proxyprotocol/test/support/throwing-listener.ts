// A server in a process of its own whose 'connection' listener throws; it says which way the exception went.

import { createServer, type AddressInfo } from 'node:net'
import { attach } from '../../src/server/index.ts'

const server = createServer(socket => {
  socket.end()
  throw new Error('fault')
})
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.once(event, (error: Error) => {
    process.send?.([event, error.message])
    server.close()
    process.disconnect()
  })
}
attach(server, { trust: 'anyone' }).listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port)
})
