// Objects that hold a server of Node: attach() and front() refuse them and name the server inside, which then shows the client.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import 'reflect-metadata'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import express from 'express'
import fastify from 'fastify'
import { Server as SocketServer } from 'socket.io'
import ssh2 from 'ssh2'
import { WebSocketServer } from 'ws'
import { content } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { attach, createServer, front } from '../../src/server/index.ts'
import { trusted } from '../support/framework.ts'
import { V2 } from '../support/headers.ts'
import { createHarness, type Harness } from '../support/harness.ts'

const require = createRequire(import.meta.url)
const CLIENT = '192.0.2.1'

/** restify without spdy, which no line of Node from 24 on can load, and which restify uses when it is told to alone. */
function loadRestify(): Restify {
  const spdy = require.resolve('spdy')
  require.cache[spdy] = untyped({ id: spdy, filename: spdy, loaded: true, exports: {} })
  return require('restify') as Restify
}

interface Restify {
  createServer(): {
    readonly server: Server
    get(
      path: string,
      handler: (request: IncomingMessage, response: ServerResponse, next: () => void) => void,
    ): void
  }
}

/** A bind as cn=a without a password (RFC 4511 section 4.2). */
const BIND = Buffer.from('3010020101600b0201030404636e3d618000', 'hex')
const ldap = require('ldapjs') as {
  createServer(): {
    readonly server: Server
    bind(name: string, handler: (request: { connection: Socket }, response: { end(): void }) => void): void
  }
}

class AppModule {
  readonly name = 'app'
}
Module({})(AppModule)

/** Serves on a server that is attached to, and gives what a client gets for its first bytes. */
async function ask(harness: Harness, server: Server, first: string | Uint8Array): Promise<Socket> {
  attach(server, trusted).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = harness.dial((server.address() as AddressInfo).port)
  harness.defer(async () => {
    client.destroy()
    server.close()
    if (server.listening) await once(server, 'close')
  })
  client.write(Buffer.concat([V2, Buffer.from(first)]))
  return client
}

const GET = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'

function refuse(holder: unknown, got: string): void {
  const rest = `must be a server of node:net, tls, http, https or http2, got ${got}`
  assert.throws(() => attach(untyped(holder), trusted), { name: 'TypeError', message: `server ${rest}` })
  assert.throws(() => front(untyped(holder), trusted), { name: 'TypeError', message: `target ${rest}` })
}

test('attach() refuses a WebSocketServer of ws, and names the http server that it was given', async t => {
  const harness = createHarness(t)
  const server = http.createServer()
  refuse(
    new WebSocketServer({ server }),
    'an object of class WebSocketServer; did you mean its options.server?',
  )
  const own = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(own, 'listening')
  refuse(own, 'an object of class WebSocketServer')
  harness.defer(() => new Promise(resolve => own.close(resolve)))
})

test('attach() refuses a server of restify, and takes its server', async t => {
  const harness = createHarness(t)
  const restify = loadRestify().createServer()
  refuse(restify, 'an object of class Server; did you mean its server?')
  restify.get('/', ({ socket }, response, next) => {
    response.end(socket.remoteAddress)
    next()
  })
  const text = String(await content(await ask(harness, restify.server, GET)))
  assert.ok(text.endsWith(`\r\n\r\n${CLIENT}`), text)
})

test('attach() refuses a server of ldapjs, and takes its server', async t => {
  const harness = createHarness(t)
  const server = ldap.createServer()
  refuse(server, 'an object of class Server; did you mean its server?')
  const seen: unknown[] = []
  server.bind('cn=a', ({ connection }, response) => {
    seen.push(connection.remoteAddress)
    response.end()
  })
  await content(await ask(harness, server.server, BIND), 1)
  assert.deepEqual(seen, [CLIENT])
})

test('attach() refuses a server of ssh2, and takes one that injects its sockets', async t => {
  const harness = createHarness(t)
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const hostKey = privateKey.export({ type: 'pkcs1', format: 'pem' })
  const seen: string[] = []
  const ssh = new ssh2.Server({ hostKeys: [hostKey] }, (client, { ip }) => {
    client.on('error', () => {})
    seen.push(ip)
  })
  refuse(ssh, 'an object of class Server')
  const server = net.createServer(socket => ssh.injectSocket(socket))
  const greeting = await content(await ask(harness, server, 'SSH-2.0-client\r\n'), 8)
  assert.equal(greeting.subarray(0, 8).toString(), 'SSH-2.0-')
  assert.deepEqual(seen, [CLIENT])
})

test('attach() refuses an app of Fastify, and names app.server', async t => {
  createHarness(t)
  const app = fastify()
  refuse(app, 'an object of class Object; did you mean its server?')
  await app.close()
})

test('attach() refuses an app of NestJS, and takes its getHttpServer()', async t => {
  const harness = createHarness(t)
  const app = await NestFactory.create(AppModule, untyped({ logger: false }))
  refuse(app, 'an object of class NestApplication; did you mean its getHttpServer()?')
  app.use(({ socket }: IncomingMessage, response: ServerResponse) => response.end(socket.remoteAddress))
  await app.init()
  const text = String(await content(await ask(harness, app.getHttpServer() as Server, GET)))
  assert.ok(text.endsWith(`\r\n\r\n${CLIENT}`), text)
  await app.close()
})

test('attach() refuses an app of Express, a server of Socket.IO, and whatever else is not a server', () => {
  refuse(express(), 'a function; did you mean http.createServer(app)?')
  const httpServer = http.createServer()
  refuse(new SocketServer(httpServer), 'an object of class Server; did you mean its httpServer?')
  refuse(
    createServer(trusted, () => {}),
    'an object of class ProxyServer',
  )
  refuse(Object.assign(Object.create(null), { listen: () => {} }), 'an object of class null')
  refuse(
    Object.assign(new EventEmitter(), { options: null, getHttpServer: () => null }),
    'an object of class EventEmitter',
  )
  for (const [nothing, got] of [
    [undefined, 'undefined'],
    [null, 'null'],
    ['server', "'server'"],
    [80, '80'],
  ]) {
    const message = `server must be a server of node:net, tls, http, https or http2, got ${String(got)}`
    assert.throws(() => attach(untyped(nothing), trusted), { name: 'TypeError', message })
  }
})
