// Servers of nginx' stream become services; a map of $ssl_preread_server_name becomes routes.

import type { ServiceInit, UpstreamText } from '../../config/index.ts'
import {
  type Directive,
  type Draft,
  filled,
  joinFamilies,
  type Note,
  NO_COUNTERPART,
  translate,
} from './draft.ts'
import { readBlocks } from './nginx-blocks.ts'
import { type NameMap, readMap, Server, serverTable, type Upstream, upstreamTable } from './nginx-tables.ts'

const NAME = '$ssl_preread_server_name'

interface Stream {
  readonly upstreams: Map<string, Upstream>
  readonly maps: Map<string, NameMap>
  readonly notes: Note[]
}

interface Pool extends Omit<Upstream, 'servers'> {
  readonly upstreams?: readonly UpstreamText[]
  readonly passthrough?: ServiceInit['passthrough']
}

/** Undefined if the text has no block `stream`. */
export function fromNginx(text: string): Draft | undefined {
  const blocks = readBlocks(text)
  const streams = blocks?.filter(({ name }) => name === 'stream') ?? []
  if (blocks === undefined || streams.length === 0) return undefined
  const outside = blocks.filter(({ name }) => name !== 'stream')
  const notes = outside.map(each => noteOn(each, 'outside "stream" nothing is translated'))
  const services = streams.flatMap(({ block = [] }) => servicesOf(block, notes))
  return { services, notes }
}

function noteOn({ line, name, args }: Directive, why: string): Note {
  return { line, directive: [name, ...args].join(' '), why }
}

function servicesOf(block: readonly Directive[], notes: Note[]): readonly ServiceInit[] {
  const stream: Stream = { upstreams: new Map(), maps: new Map(), notes }
  const settings: Directive[] = []
  const servers: Directive[] = []
  for (const directive of block) {
    if (directive.name === 'server') servers.push(directive)
    else if (directive.name === 'upstream') readUpstream(directive, stream)
    else if (directive.name === 'map') readNames(directive, stream)
    else if (Object.hasOwn(serverTable, directive.name)) settings.push(directive)
    else notes.push(noteOn(directive, NO_COUNTERPART))
  }
  return servers.flatMap(server => serverServices(server, settings, stream))
}

function readUpstream({ args: [name = ''], block = [] }: Directive, { upstreams, notes }: Stream): void {
  const upstream: Upstream = { servers: [] }
  notes.push(...translate(block, upstreamTable, upstream))
  upstreams.set(name, upstream)
}

function readNames(directive: Directive, { maps, notes }: Stream): void {
  const { args, block = [] } = directive
  const [source, variable = ''] = args
  if (source !== NAME) {
    notes.push(noteOn(directive, `only a map of ${NAME} is translated`))
    return
  }
  const map: NameMap = { routes: [], hasHostnames: false }
  for (const entry of block) {
    const why = readMap(map, entry.name, entry.args)
    if (why !== undefined) notes.push(noteOn(entry, why))
  }
  const mask = block.find(({ name }) => /^\*?\./.test(name))
  if (mask && !map.hasHostnames)
    notes.push(noteOn(mask, 'nginx takes it as a mask only after "hostnames"; here it is one'))
  maps.set(variable, map)
}

function serverServices(
  directive: Directive,
  settings: readonly Directive[],
  stream: Stream,
): readonly ServiceInit[] {
  const server = new Server()
  stream.notes.push(...translate([...settings, ...(directive.block ?? [])], serverTable, server))
  if (server.listens.length === 0) return datagramServices(server, directive, stream)
  if (server.acceptsHeaders && server.trust.length === 0)
    stream.notes.push(noteOn(directive, 'no set_real_ip_from names proxies, so trust is "anyone"'))
  const target = server.target ?? ''
  const services = target.endsWith(':$server_port')
    ? portsOf(server.listens).map(([listen, port]) =>
        serviceOf(server, [listen], poolOf(target.replace('$server_port', port), server, stream)),
      )
    : [routed(server, target, stream)]
  const made = services.filter(service => service !== undefined)
  if (made.length === 0 || made.length < services.length)
    stream.notes.push(noteOn(directive, 'its proxy_pass is not translated, so it is left out'))
  return [...made, ...datagramServices(server, directive, stream)]
}

/** nginx sends version 1 in a flow's first datagram; here each datagram has version 2. */
function datagramServices(server: Server, directive: Directive, stream: Stream): readonly ServiceInit[] {
  const { udpListens, idle, replies = 0, sendsHeader } = server
  if (udpListens.length === 0) return []
  const pool = poolOf(server.target ?? '', server, stream)
  server.acceptsHeaders = false // nginx reads none from UDP
  const service = serviceOf(server, udpListens, pool)
  if (!service) {
    stream.notes.push(noteOn(directive, 'its proxy_pass is not translated, so its UDP address is left out'))
    return []
  }
  const { timeouts, listen, upstreams, ...rest } = service
  const inUdp = (address: string): string => `udp://${address.replace(/pp=v1$/, 'pp=v2')}`
  if (sendsHeader)
    stream.notes.push(noteOn(directive, 'each datagram gets a version 2 header, not the first one version 1'))
  return [
    {
      ...rest,
      listen: [listen].flat().map(inUdp),
      upstreams: upstreams?.map(each =>
        typeof each === 'string' ? inUdp(each) : { ...each, address: inUdp(each.address) },
      ),
      ...filled({
        timeouts: timeouts && filled({ flow: idle, confirmed: idle }),
        replies: replies > 0 ? replies : undefined,
      }),
    },
  ]
}

/** Each address of a range with its port. */
function portsOf(listens: readonly string[]): readonly (readonly [string, string])[] {
  return joinFamilies(listens).flatMap(listen => {
    const [, host, first, last = first] = /^(.*):(\d+)(?:-(\d+))?$/.exec(listen) ?? []
    if (host === undefined) return []
    const count = Math.max(0, Number(last) - Number(first) + 1)
    const ports = Array.from({ length: count }, (_, at) => String(Number(first) + at))
    return ports.map(port => [`${host}:${port}`, port] as const)
  })
}

function routed(server: Server, target: string, stream: Stream): ServiceInit | undefined {
  const map = stream.maps.get(target)
  if (!map || !server.readsHello) return serviceOf(server, server.listens, poolOf(target, server, stream))
  const routes = map.routes.flatMap(({ names, target: to }) => {
    const pool = poolOf(to, server, stream)
    return pool ? [{ names, upstreams: pool.upstreams }] : []
  })
  const rest = map.fallback === undefined ? undefined : poolOf(map.fallback, server, stream)
  const wait = filled({ timeout: server.helloTimeout })
  const others = rest
    ? { fallback: { upstreams: rest.upstreams, ...wait } }
    : ({ unknownNames: 'reject' } as const) // a literal
  return serviceOf(server, server.listens, { ...rest, passthrough: { ...wait, routes, ...others } })
}

function poolOf(
  target: string,
  server: Server,
  { upstreams }: Stream,
): (Required<Pick<Pool, 'upstreams'>> & Pool) | undefined {
  if (target === '' || target.includes('$')) return undefined
  const { servers, ...rules } = upstreams.get(target) ?? { servers: [{ address: target }] }
  const query = `?pp=${server.sendsHeader ? 'v1' : 'noop'}`
  return {
    ...rules,
    upstreams: servers.map(upstream => {
      const address = upstream.address + query
      const rest = filled({ ...upstream, address: undefined, source: server.source })
      return rest ? { ...rest, address } : address
    }),
  }
}

function serviceOf(
  server: Server,
  listens: readonly string[],
  pool: Pool | undefined,
): ServiceInit | undefined {
  if (!pool) return undefined
  const { allow, deny, trust, connect, idle } = server
  const listen = joinFamilies(listens).map(each => each + (server.acceptsHeaders ? '?pp=detect' : ''))
  const several = (pool.upstreams?.length ?? 0) > 1
  const time = pool.failTimeout ?? '10s'
  const service = {
    upstreams: pool.upstreams,
    balance: pool.balance,
    health: several ? { fails: pool.fails ?? 1, window: time, cooldown: time } : undefined,
    trust: server.acceptsHeaders ? (trust.length > 0 ? trust : ('anyone' as const)) : undefined, // a literal
    allow: server.allowsRest ? undefined : allow,
    deny: deny.length > 0 ? deny : undefined,
    passthrough: pool.passthrough,
    timeouts: filled({ connect, idle }),
  }
  return { listen: listen.length === 1 ? String(listen[0]) : listen, ...filled(service) }
}
