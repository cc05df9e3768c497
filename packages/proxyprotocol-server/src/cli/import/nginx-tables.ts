// What the blocks of nginx' stream say, and the tables of their directives.

import type { Balance } from '../../config/index.ts'
import { type UpstreamDraft, duration, type Rule, type Table } from './draft.ts'

type Time = string | number

/** Lists grow and keys are set while its directives are read. */
export class Server {
  readonly listens: string[] = []
  readonly udpListens: string[] = []
  readonly trust: string[] = []
  readonly allow: string[] = []
  readonly deny: string[] = []
  acceptsHeaders = false
  sendsHeader = false
  readsHello = false
  allowsRest = true
  replies: number | undefined
  target: string | undefined
  source: string | undefined
  connect: Time | undefined
  idle: Time | undefined
  helloTimeout: Time | undefined
}

export interface Upstream {
  readonly servers: UpstreamDraft[]
  balance?: Balance
  fails?: number
  failTimeout?: Time
}

export interface NameMap {
  readonly routes: { readonly names: readonly string[]; readonly target: string }[]
  hasHostnames: boolean
  fallback?: string
}

type TimeKey = 'connect' | 'idle' | 'helloTimeout'

export const serverTable: Table<Server> = {
  listen,
  proxy_pass: (server, [target]) => {
    server.target = target
    return undefined
  },
  proxy_protocol: (server, [on]) => {
    server.sendsHeader = on === 'on'
    return undefined
  },
  ssl_preread: (server, [on]) => {
    server.readsHello = on === 'on'
    return undefined
  },
  proxy_bind: (server, [source = '', ...more]) => {
    if (source.includes('$') || more.length > 0) return 'only an IP address is translated'
    server.source = source
    return undefined
  },
  proxy_timeout: time('idle'),
  proxy_responses: (server, [count]) => {
    server.replies = Number(count)
    return Number(count) > 0 ? undefined : 'flows without replies end by their timeout'
  },
  proxy_connect_timeout: time('connect'),
  preread_timeout: time('helloTimeout'),
  set_real_ip_from: ({ trust }, [network = '']) => {
    trust.push(network === 'unix:' ? 'unix' : network)
    return undefined
  },
  deny: (server, [network = '']) => {
    if (network === 'all') server.allowsRest = false
    else if (server.allow.length > 0) return 'it follows "allow", and here "deny" comes first'
    else server.deny.push(network)
    return undefined
  },
  allow: ({ allow }, [network = '']) => {
    if (network !== 'all') allow.push(network)
    return undefined
  },
}

function time(key: TimeKey): Rule<Server> {
  return (server, [text = '']) => {
    server[key] = duration(text, 's')
    return server[key] === undefined ? 'the time is not valid' : undefined
  }
}

function listen(server: Server, [address = '', ...words]: readonly string[]): string | undefined {
  if (words.includes('ssl')) return 'TLS that ends here is not translated, so the address is left out'
  const full = /^\d+(?:-\d+)?$/.test(address) ? `0.0.0.0:${address}` : address.replace(/^\*:/, '0.0.0.0:')
  const listens = words.includes('udp') ? server.udpListens : server.listens
  listens.push(full)
  if (words.includes('proxy_protocol')) server.acceptsHeaders = true
  const unknown = words.filter(word => !['proxy_protocol', 'reuseport', 'udp'].includes(word))
  return unknown.length > 0 ? `${unknown.join(' ')} has no counterpart` : undefined
}

export const upstreamTable: Table<Upstream> = {
  server: upstreamServer,
  least_conn: upstream => {
    upstream.balance = 'least-connections'
    return undefined
  },
  hash: (upstream, [key]) => {
    if (key !== '$remote_addr') return 'only $remote_addr is translated'
    upstream.balance = 'source-hash'
    return undefined
  },
  zone: () => undefined,
}

function upstreamServer(upstream: Upstream, [address = '', ...words]: readonly string[]): string | undefined {
  const given = new Map(words.map(word => /^([^=]*)=?(.*)$/s.exec(word)?.slice(1) as [string, string])) // it matches every word
  const number = (key: string): number | undefined => {
    const text = given.get(key)
    return text === undefined ? undefined : Number(text)
  }
  upstream.servers.push({
    address,
    ...(given.has('down') ? { weight: 0 } : { weight: number('weight') }),
    maxConnections: number('max_conns'),
    backup: given.has('backup') ? true : undefined,
  })
  const fails = number('max_fails')
  const failTimeout = duration(given.get('fail_timeout') ?? '', 's')
  if (fails !== undefined) upstream.fails ??= fails
  if (failTimeout !== undefined) upstream.failTimeout ??= failTimeout
  const known = ['down', 'weight', 'max_conns', 'backup', 'max_fails', 'fail_timeout', 'resolve']
  const unknown = [...given.keys()].filter(key => !known.includes(key))
  return unknown.length > 0 ? `${unknown.join(' ')} has no counterpart` : undefined
}

/** The entries of a map by server name; every other name is a server name. */
export function readMap(map: NameMap, name: string, [target = '']: readonly string[]): string | undefined {
  if (name === 'hostnames') map.hasHostnames = true
  else if (name === 'default') map.fallback = target
  else if (name.startsWith('~') || name.endsWith('.*'))
    return 'only exact names and masks in front are translated'
  else map.routes.push({ names: name.startsWith('.') ? [name.slice(1), `*${name}`] : [name], target })
  return undefined
}
