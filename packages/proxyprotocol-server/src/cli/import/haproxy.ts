// Frontends with their backends become services; a backend by server name becomes a route.

import type { ServiceInit } from '../../config/index.ts'
import { type UpstreamDraft, type Draft, filled, joinFamilies, type Note, translate } from './draft.ts'
import { readSections, type Section } from './haproxy-lines.ts'
import { haproxyTable, Proxy, type UseBackend } from './haproxy-section.ts'

interface Named {
  readonly section: Section
  readonly proxy: Proxy
}

/** Undefined if the text has no section that listens. */
export function fromHaproxy(text: string): Draft | undefined {
  const sections = readSections(text)
  if (!sections.some(({ kind }) => kind === 'frontend' || kind === 'listen')) return undefined
  const notes: Note[] = []
  const proxies: Named[] = []
  let defaults: Section['directives'] = []
  for (const section of sections) {
    if (section.kind === 'defaults') defaults = section.directives
    else if (['frontend', 'backend', 'listen'].includes(section.kind)) {
      const proxy = new Proxy()
      const found = translate([...defaults, ...section.directives], haproxyTable, proxy)
      if (proxy.isTcp) notes.push(...found)
      else notes.push(noteOn(section, 'only mode tcp is translated, so the section is left out'))
      if (proxy.isTcp) proxies.push({ section, proxy })
    } else notes.push(noteOn(section, 'the section has no counterpart'))
  }
  const services = proxies.flatMap(named => serviceOf(named, proxies, notes))
  return { services, notes: withoutRepeats(notes) }
}

function noteOn({ line, kind, name }: Section, why: string): Note {
  return { line, directive: `${kind} ${name}`.trim(), why }
}

/** Each section reads the same defaults. */
function withoutRepeats(notes: readonly Note[]): readonly Note[] {
  return [...new Map(notes.map(note => [JSON.stringify(note), note])).values()]
}

function serviceOf(
  { section, proxy }: Named,
  proxies: readonly Named[],
  notes: Note[],
): readonly ServiceInit[] {
  if (proxy.listens.length === 0) return []
  const backend = proxy.servers.length > 0 ? proxy : backendOf(proxy.defaultBackend, proxies)
  const routes = proxy.uses.flatMap(use => routeOf(use, { proxies, notes, beside: backend }))
  if (routes.length === 0 && !backend) {
    notes.push(noteOn(section, 'it has no server, so it is left out'))
    return []
  }
  const { client, tunnel, server = client } = { ...backend?.times, ...proxy.times }
  if (tunnel === undefined && server !== client)
    notes.push(noteOn(section, 'one idle timeout serves both sides: that of the client'))
  const listen = joinFamilies(proxy.listens)
  const service = {
    name: section.name,
    listen: listen.length === 1 ? String(listen[0]) : listen,
    upstreams: backend?.servers,
    trust: proxy.acceptsHeaders ? ('anyone' as const) : undefined, // a literal of the type
    allow: nonEmpty(proxy.allow),
    deny: nonEmpty(proxy.deny),
    balance: backend?.balance,
    retries: backend?.retries,
    health: filled({ onDown: backend?.onDown, slowStart: backend?.slowStart }),
    queue: filled({ timeout: backend?.times.queue }),
    passthrough: routes.length > 0 ? passthroughOf(proxy, routes, backend) : undefined,
    limits: filled({ connections: proxy.connections }),
    overLimit: proxy.connections === undefined ? undefined : ('pause' as const), // a literal of the type
    timeouts: timeoutsOf(proxy, backend),
  }
  return [{ ...service, ...filled(service) }]
}

function nonEmpty(list: readonly string[]): readonly string[] | undefined {
  return list.length > 0 ? list : undefined
}

function backendOf(name: string | undefined, proxies: readonly Named[]): Proxy | undefined {
  const found = proxies.find(({ section }) => section.name === name && section.kind !== 'frontend')?.proxy
  return found && found.servers.length > 0 ? found : undefined
}

interface Route {
  readonly names: readonly string[]
  readonly upstreams: readonly UpstreamDraft[]
}

interface Around {
  readonly proxies: readonly Named[]
  readonly notes: Note[]
  readonly beside: Proxy | undefined
}

function routeOf({ backend, names, line }: UseBackend, { proxies, notes, beside }: Around): readonly Route[] {
  const directive = 'use_backend'
  const pool = backendOf(backend, proxies)
  if (!pool) {
    notes.push({ line, directive, why: `the backend ${backend} has no server, so the route is left out` })
    return []
  }
  if (beside && pool.servers.length > 1 && pool.balance !== beside.balance)
    notes.push({ line, directive, why: 'the route has the balance of its service' })
  if (beside && JSON.stringify(pool.times) !== JSON.stringify(beside.times))
    notes.push({ line, directive, why: 'the route has the timeouts of its service' })
  return [{ names, upstreams: pool.servers }]
}

/** HAProxy sends clients without TLS to the default backend, unless a rule rejects them. */
function passthroughOf(
  { inspectDelay, refusesPlain }: Proxy,
  routes: readonly Route[],
  backend: Proxy | undefined,
): ServiceInit['passthrough'] {
  const wait = inspectDelay === undefined ? {} : { timeout: inspectDelay }
  if (!backend) return { ...wait, routes, unknownNames: 'reject' }
  return { ...wait, routes, ...(!refusesPlain && { fallback: { upstreams: backend.servers, ...wait } }) }
}

/** A tunnel's timeout replaces those of both sides. */
function timeoutsOf(front: Proxy, backend: Proxy | undefined): ServiceInit['timeouts'] {
  const back = { ...front.times, ...backend?.times }
  return filled({
    connect: back.connect,
    idle: back.tunnel ?? front.times.client ?? back.server,
    halfClose: front.times['client-fin'] ?? back['server-fin'],
  })
}
