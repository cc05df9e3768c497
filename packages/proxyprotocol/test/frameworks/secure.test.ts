// The scheme that frameworks see behind a load balancer that ends TLS: secure cookies and redirects need https.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { test } from 'node:test'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { setCookie } from 'hono/cookie'
import Koa from 'koa'
import { outcome } from 'test-support/sockets'
import { attach } from '../../src/server/index.ts'
import { createHttpServer } from '../support/framework.ts'
import { DESTINATION, encode, SOURCE } from '../support/headers.ts'
import { createHarness } from '../support/harness.ts'

/** Servers that set a secure cookie if the scheme is https, and redirect to the same scheme. */
const servers: Readonly<Record<string, () => Promise<Server>>> = {
  express: () => {
    const app = express()
    app.get('/', (request, response) => {
      response.cookie('id', '1', { secure: request.secure })
      response.redirect(`${request.protocol}://app.example/next`)
    })
    return Promise.resolve(createHttpServer('http', app as never))
  },
  fastify: async () => {
    const app = fastify()
    app.get('/', (request, reply) => {
      const { protocol } = request
      reply.header('set-cookie', `id=1${protocol === 'https' ? '; Secure' : ''}`)
      return reply.redirect(`${protocol}://app.example/next`)
    })
    await app.ready()
    return app.server
  },
  koa: () => {
    const app = new Koa()
    app.use(ctx => {
      ctx.cookies.set('id', '1', { signed: false }) // koa sets Secure by itself if the scheme is https
      ctx.redirect(`${ctx.protocol}://app.example/next`)
    })
    return Promise.resolve(createHttpServer('http', app.callback()))
  },
  hono: () => {
    const app = new Hono()
    app.get('/', c => {
      const url = new URL('/next', c.req.url)
      setCookie(c, 'id', '1', { secure: url.protocol === 'https:' })
      return c.redirect(url.href)
    })
    return Promise.resolve(createAdaptorServer({ fetch: app.fetch }) as Server)
  },
}

const REQUEST = 'GET / HTTP/1.1\r\nhost: app.example\r\nconnection: close\r\n\r\n'

for (const [name, create] of Object.entries(servers)) {
  test(`${name} behind attach() with secure sets secure cookies and redirects to https, for those clients alone`, async t => {
    const harness = createHarness(t)
    const server = attach(await create(), { trust: ['127.0.0.1'], secure: { ports: [443] } })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    harness.defer(async () => {
      server.close()
      await once(server, 'close')
    })
    for (const [port, location, isSecure] of [
      [443, 'https://app.example/next', true],
      [80, 'http://app.example/next', false],
    ] as const) {
      const header = encode({ source: SOURCE, destination: { ...DESTINATION, port } })
      const client = harness.dial((server.address() as AddressInfo).port)
      client.write(header)
      const { text } = await outcome(client.end(REQUEST))
      assert.match(text, new RegExp(`^location: ${location}\r$`, 'im'))
      assert.equal(/^set-cookie: id=1.*; secure/im.test(text), isSecure, text)
    }
  })
}

test('koa behind attach() with secure accepts a cookie that must be secure, which it throws for without', async t => {
  const harness = createHarness(t)
  for (const [isSecure, status] of [
    [true, 200],
    [false, 500],
  ] as const) {
    const app = new Koa()
    app.silent = true
    app.use(ctx => {
      ctx.cookies.set('id', '1', { secure: true, signed: false })
      ctx.body = 'set'
    })
    const server = attach(createHttpServer('http', app.callback()), {
      trust: ['127.0.0.1'],
      secure: isSecure ? () => true : undefined,
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    harness.defer(async () => {
      server.close()
      await once(server, 'close')
    })
    const client = harness.dial((server.address() as AddressInfo).port)
    client.write(encode({ source: SOURCE, destination: DESTINATION }))
    const { text } = await outcome(client.end(REQUEST))
    assert.match(text, new RegExp(`^HTTP/1.1 ${status} `))
  }
})
