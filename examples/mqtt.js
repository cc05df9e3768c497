// An MQTT broker that knows its clients' addresses.

import { createServer, Socket } from 'node:net'
import { Aedes } from 'aedes'
import { attach } from 'proxyprotocol/server'

const { PORT = '1883' } = process.env

const broker = await Aedes.createBroker()
broker.on('client', ({ id, conn }) => {
  if (conn instanceof Socket) console.log(`${id} is ${conn.remoteAddress}`)
})

const server = attach(
  createServer(socket => broker.handle(socket)),
  { trust: ['127.0.0.1'] },
)
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening at', server.address()))
