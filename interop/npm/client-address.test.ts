// Packages that ask for a client's address: proxy-addr, express-rate-limit, morgan, pino-http and Fastify. They run behind a load balancer
// alone, where no X-Forwarded-For is true, and behind one with a CDN in front, where that of the CDN is.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import express, { type RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import Fastify from 'fastify'
import morgan from 'morgan'
import { pinoHttp } from 'pino-http'
import proxyAddr from 'proxy-addr'
import { ask, type AskOptions } from './asking.ts'
import { CLIENT, listen } from './support.ts'

const CDN = ['203.0.113.0/24']
const EDGE = '203.0.113.7'
const FORGED = '198.51.100.99'

/** Requests of one client, and what the application believes of X-Forwarded-For. */
const settings = [
  { name: 'a load balancer', trusted: [], request: { headers: { 'x-forwarded-for': FORGED } } },
  {
    name: 'a CDN and a load balancer',
    trusted: CDN,
    request: { address: EDGE, headers: { 'x-forwarded-for': `${FORGED}, ${CLIENT.address}` } },
  },
  {
    name: 'a CDN that the client went around',
    trusted: CDN,
    request: { headers: { 'x-forwarded-for': FORGED } },
  },
] as const satisfies readonly { name: string; trusted: readonly string[]; request: AskOptions }[]

function serve(t: TestContext, trusted: readonly string[], ...handlers: RequestHandler[]): Promise<number> {
  const app = express()
  app.set('trust proxy', trusted)
  app.use(...handlers, (request, response) => void response.send(request.ip))
  return listen(t, http.createServer(app))
}

for (const { name, trusted, request } of settings) {
  test(`behind ${name}, request.ip and proxy-addr give the client`, async t => {
    const addresses: unknown[] = []
    const port = await serve(t, trusted, (incoming, _response, next) => {
      addresses.push(proxyAddr(incoming, [...trusted]))
      next()
    })
    assert.equal(await ask(port, request), CLIENT.address)
    assert.deepEqual(addresses, [CLIENT.address])
  })

  test(`behind ${name}, request.ip of Fastify gives the client`, async t => {
    const app = Fastify({ trustProxy: [...trusted] })
    app.get('/', incoming => incoming.ip)
    await app.ready()
    assert.equal(await ask(await listen(t, app.server), request), CLIENT.address)
    await app.close()
  })

  test(`behind ${name}, express-rate-limit counts a client, whatever it writes into X-Forwarded-For`, async t => {
    const limit = rateLimit({ limit: 1, message: 'too many', validate: { xForwardedForHeader: false } })
    const port = await serve(t, trusted, limit)
    assert.equal(await ask(port, request), CLIENT.address)
    const forwarded = request.headers['x-forwarded-for'].replace(FORGED, '198.51.100.1')
    assert.equal(await ask(port, { ...request, headers: { 'x-forwarded-for': forwarded } }), 'too many')
    assert.equal(await ask(port, { address: '192.0.2.2' }), '192.0.2.2')
  })

  test(`behind ${name}, morgan logs the client`, async t => {
    const stream = new PassThrough({ encoding: 'utf8' })
    const port = await serve(t, trusted, morgan(':remote-addr', { stream }))
    const [[line]] = await Promise.all([once(stream, 'data'), ask(port, request)])
    assert.equal(line, `${CLIENT.address}\n`)
  })

  test(`behind ${name}, pino-http logs the address of the header, and the client with customProps`, async t => {
    const stream = new PassThrough({ encoding: 'utf8' })
    const customProps = (incoming: http.IncomingMessage) => ({ client: (incoming as express.Request).ip })
    const port = await serve(t, trusted, pinoHttp({ customProps }, stream))
    const [[line]] = await Promise.all([once(stream, 'data'), ask(port, request)])
    const { req, client } = JSON.parse(String(line)) as { req: { remoteAddress: string }; client: string }
    assert.deepEqual(
      [req.remoteAddress, client],
      ['address' in request ? EDGE : CLIENT.address, CLIENT.address],
    )
  })
}
