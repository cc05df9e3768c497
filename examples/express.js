// Express behind HAProxy: req.ip is the client. haproxy.cfg beside this file has HAProxy's side.

import { createServer } from 'node:http'
import express from 'express'
import { attach } from 'proxyprotocol/server'

const { PORT = '8080' } = process.env

const app = express()
app.get('/', (request, response) => {
  response.send(`hello ${request.ip}\n`)
})

const server = attach(createServer(app), { trust: ['127.0.0.1'] })
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening at', server.address()))
