// HTTP proxies that pass no `header` on: http-proxy, http-proxy-middleware and @fastify/http-proxy, each with one HeaderAgent.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import fastifyProxy from '@fastify/http-proxy'
import express from 'express'
import Fastify from 'fastify'
import httpProxy from 'http-proxy'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { HeaderAgent, headerFor, openSocket, withHeader } from 'proxyprotocol/client'
import { WebSocket, WebSocketServer } from 'ws'
import { CLIENT, headerOf, HOST, listen } from './support.ts'

/** A server that tells each client its port, by HTTP and by WebSocket. */
async function backend(t: TestContext): Promise<string> {
  const server = http.createServer(({ socket }, response) => response.end(String(socket.remotePort)))
  new WebSocketServer({ server }).on('connection', (client, request) => {
    client.send(String(request.socket.remotePort))
  })
  return `http://${HOST}:${await listen(t, server)}`
}

/** Sends a request through a gateway as a client of that port, and gives the answer. */
async function ask(gateway: number, port: number): Promise<string> {
  const createConnection = () => openSocket({ host: HOST, port: gateway }, headerOf(port))
  const request = http.get({ host: 'localhost', createConnection })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const answer = await text(response)
  request.destroy()
  return answer
}

/** Holds that clients in turn, and at a time, each reach the backend as themselves. */
async function holdApart(gateway: number): Promise<void> {
  for (const port of [1, 2, 1]) assert.equal(await ask(gateway, port), String(port))
  const ports = Array.from({ length: 20 }, (_, index) => 1 + index)
  const answers = await Promise.all(ports.map(port => ask(gateway, port)))
  assert.deepEqual(answers.map(Number), ports)
}

function agentOf(t: TestContext): HeaderAgent {
  const agent = new HeaderAgent()
  t.after(() => agent.destroy())
  return agent
}

test('http-proxy sends the header of each client inside withHeader(), for requests and WebSockets', async t => {
  const proxy = httpProxy.createProxyServer({ target: await backend(t), agent: agentOf(t) })
  const gateway = http.createServer((request, response) => {
    withHeader(headerFor(request.socket), () => proxy.web(request, response))
  })
  gateway.on('upgrade', (request, socket, head) => {
    withHeader(headerFor(request.socket), () => proxy.ws(request, socket, head))
  })
  const port = await listen(t, gateway)
  await holdApart(port)
  const createConnection = () => openSocket({ host: HOST, port }, headerOf())
  const client = new WebSocket('ws://localhost', { createConnection })
  const [data] = (await once(client, 'message')) as [Buffer]
  assert.equal(data.toString(), String(CLIENT.port))
  client.terminate()
})

test('http-proxy sends the header that a function makes of the options of the request', async t => {
  const agent = new HeaderAgent({
    header: ({ headers }) => headerOf(Number(Object(headers)['x-client-port'])),
  })
  t.after(() => agent.destroy())
  const proxy = httpProxy.createProxyServer({ target: await backend(t), agent })
  const gateway = http.createServer((request, response) => {
    const headers = { 'x-client-port': String(request.socket.remotePort) }
    proxy.web(request, response, { headers })
  })
  await holdApart(await listen(t, gateway))
})

test('http-proxy-middleware sends the header of each client inside withHeader()', async t => {
  const app = express()
  app.use((request, _response, next) => withHeader(headerFor(request.socket), next))
  app.use(createProxyMiddleware({ target: await backend(t), agent: agentOf(t) }))
  await holdApart(await listen(t, http.createServer(app)))
})

test('@fastify/http-proxy sends the header of each client inside withHeader()', async t => {
  const app = Fastify()
  app.addHook('onRequest', (request, _reply, done) => withHeader(headerFor(request.raw.socket), done))
  const agent = agentOf(t)
  await app.register(fastifyProxy, {
    upstream: await backend(t),
    http: { agents: { 'http:': agent, 'https:': agent as never } }, // the upstream has no TLS
  })
  await app.ready()
  await holdApart(await listen(t, app.server))
  await app.close()
})
