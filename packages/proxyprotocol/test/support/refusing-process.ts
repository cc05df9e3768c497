// A program whose server refuses its one client, and says nothing else.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { attach } from '../../src/server/index.ts'

const server = attach(createServer(), { trust: ['192.0.2.0/24'] }).listen(0, '127.0.0.1')
await once(server, 'listening')
const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
client.on('error', () => {}).resume()
await once(client, 'close')
server.close()
