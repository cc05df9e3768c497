import { compileNetworks } from 'proxyprotocol/server'
import { nearest } from '../../config/index.ts'
import {
  adviceOn,
  type LiveConnection,
  type Refusal,
  type RoutedUpstream,
  type ServiceFigures,
} from '../../figures/index.ts'
import { showEndpoint } from '../../log/index.ts'
import { PlainError } from '../program.ts'
import type { ConnectionFilter } from '../services/index.ts'
import type { ControlRequest } from './request.ts'
import type { Running } from './running.ts'
import { configured, isSame, isTargeted } from './weights.ts'

type WeightRequest = Extract<ControlRequest, { readonly command: 'drain' | 'undrain' | 'weight' }>

/** @throws PlainError saying why it is refused. */
export async function obey(running: Running, request: ControlRequest): Promise<unknown> {
  switch (request.command) {
    case 'services':
      return (await figures(running, request)).map(describeService)
    case 'upstreams':
      return upstreams(running, request.service)
    case 'connections':
      return connections(running, request.service)
    case 'refusals':
      return refusals(running, request)
    case 'drain':
    case 'undrain':
    case 'weight':
      return setWeight(running, request)
    case 'close':
      return { closed: await running.serving.closeConnections(filterOf(request)) }
    case 'reload':
      return running.reload()
  }
}

async function figures(
  { serving: { shown } }: Running,
  { service, listing = false }: { readonly service?: string | undefined; readonly listing?: boolean },
): Promise<readonly ServiceFigures[]> {
  await shown.refresh?.(listing)
  const all = [...shown.services()]
  const chosen = all.filter(({ name }) => service === undefined || name === service)
  if (service !== undefined && chosen.length === 0) {
    const names = all.map(({ name }) => name)
    throw unknown('service', service, names)
  }
  return chosen
}

function describeService({ name, address, state, totals, upstreams, datagrams }: ServiceFigures): object {
  const up = upstreams.filter(each => each.state === 'up').length
  const active = datagrams?.flows.active ?? totals.active
  const accepted = datagrams?.flows.opened ?? totals.accepted
  return { service: name, address, state, active, accepted, up: `${String(up)}/${String(upstreams.length)}` }
}

async function upstreams(running: Running, service: string | undefined) {
  const all = configured(running.file)
  const shown = (await figures(running, { service })).flatMap(each =>
    each.upstreams.map(upstream => describeUpstream(each.name, upstream)),
  )
  return shown.map(each => {
    const file = all.find(other => isSame(other, each))
    return { ...each, fileWeight: file?.weight === each.weight ? undefined : file?.weight }
  })
}

function describeUpstream(service: string, each: RoutedUpstream) {
  const { name: upstream, route, address, weight, state, active, total } = each
  return { service, upstream, route, address, state, active, total, weight }
}

async function connections(running: Running, service: string | undefined): Promise<readonly object[]> {
  const found = await figures(running, { service, listing: true })
  const { shown } = running.serving
  return found.flatMap(({ name }) =>
    [...shown.connections(name)].map(connection => describeConnection(name, connection)),
  )
}

function describeConnection(service: string, connection: LiveConnection): object {
  const { id, state, source, upstream, age, bytesUp, bytesDown } = connection
  return {
    ...{ id, service, state },
    source: showEndpoint(source),
    upstream: upstream && showEndpoint(upstream),
    age: Math.round(age),
    ...{ bytesUp, bytesDown },
  }
}

async function refusals(
  running: Running,
  request: { readonly service?: string | undefined },
): Promise<readonly object[]> {
  const chosen = (await figures(running, request)).map(({ name }) => name)
  const all = running.serving.shown.refusals()
  return all.filter(({ service }) => chosen.includes(service)).map(describeRefusal)
}

function describeRefusal(refusal: Refusal): object {
  const { time, service, peer, source, reason } = refusal
  return {
    ...{
      time: new Date(time).toISOString(),
      service,
      peer: showEndpoint(peer),
      source: showEndpoint(source),
    },
    ...{ reason, advice: adviceOn(refusal) },
  }
}

async function setWeight(running: Running, request: WeightRequest): Promise<readonly object[]> {
  const { service, upstream, command } = request
  const all = configured(running.file)
  const ofService = all.filter(each => isTargeted(each, { service, upstream: each.upstream }))
  if (ofService.length === 0) {
    const names = all.map(each => each.service)
    throw unknown('service', service, names)
  }
  const targets = ofService.filter(each => each.upstream === upstream)
  if (targets.length === 0) {
    const names = ofService.map(each => each.upstream)
    throw unknown('upstream', upstream, names)
  }
  if (command === 'undrain' && targets.every(({ weight }) => weight === 0))
    throw new PlainError('its weight in the file is 0: set another one with "weight"')
  const drained = command === 'drain' ? 0 : undefined
  await running.setWeight({ service, upstream }, command === 'weight' ? request.weight : drained)
  return (await upstreams(running, undefined)).filter(each => isTargeted(each, { service, upstream }))
}

/** Without a filter a mistake would close everything. */
function filterOf({ id, source, upstream }: ConnectionFilter): ConnectionFilter {
  if ((id ?? source ?? upstream) === undefined)
    throw new PlainError('close needs at least one of id, source and upstream')
  try {
    if (source !== undefined) compileNetworks([source], 'source')
  } catch (error) {
    throw new PlainError((error as Error).message) // it throws nothing else
  }
  return { id, source, upstream }
}

function unknown(what: string, name: string, known: readonly string[]): PlainError {
  const all = [...new Set(known)]
  const meant = nearest(name, all)
  const hint = meant === undefined ? `there are ${all.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`
  return new PlainError(`unknown ${what} ${JSON.stringify(name)}; ${hint}`)
}
