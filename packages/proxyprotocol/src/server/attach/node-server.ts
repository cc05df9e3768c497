// An object that holds a server would go on serving clients without a header.

import { Server as HttpServer } from 'node:http'
import { Server } from 'node:net'
import { inspect } from 'node:util'

const PLACES = ['server', 'httpServer', 'listener'] as const

/** On Bun HTTP servers are not `net.Server`s. */
export function isServer(value: unknown): value is Server {
  return value instanceof Server || value instanceof HttpServer
}

export function isHttp2(server: Server): boolean {
  return 'updateSettings' in server
}

export function checkServer(value: unknown, name: string): asserts value is Server {
  if (isServer(value)) return
  const inner = innerServer(value)
  throw new TypeError(
    `${name} must be a server of node:net, tls, http, https or http2, got ${kindOf(value)}` +
      (inner === undefined ? '' : `; did you mean ${inner}?`),
  )
}

function innerServer(value: unknown): string | undefined {
  if (typeof value === 'function') return 'http.createServer(app)' // Express
  if (typeof value !== 'object' || value === null) return undefined
  const { options, getHttpServer } = value as { options?: unknown; getHttpServer?: unknown } // of ws, of NestJS
  if (typeof getHttpServer === 'function' && isServer(getHttpServer.call(value))) return 'its getHttpServer()'
  if (isServer((options as { server?: unknown } | null | undefined)?.server)) return 'its options.server'
  const held = PLACES.find(place => isServer((value as Record<string, unknown>)[place]))
  return held && `its ${held}`
}

function kindOf(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return inspect(value)
  const prototype = Object.getPrototypeOf(value) as object | null // NestJS hides the constructor behind a proxy
  return `an object of class ${prototype?.constructor.name ?? 'null'}`
}
