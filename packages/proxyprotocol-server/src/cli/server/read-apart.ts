import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { branchesOf, ConfigError, type Route, type Service, type Source } from '../../config/index.ts'
import type { Reading } from '../control/index.ts'
import { processIo, type ProgramIo } from '../program.ts'
import { serverRequest } from './arguments.ts'

export interface ReadingTask {
  readonly args: readonly string[]
  readonly env: ProgramIo['env']
  readonly sources?: readonly Source[] | undefined
}

export type Outcome = Reading | { readonly fault: string }

const sections = ['passthrough', 'tls'] as const

/** What the thread sends for each message to it. */
export interface Part {
  readonly services: readonly Service[]
  /** More routes of the last service. */
  readonly routes: Partial<Record<(typeof sections)[number], readonly Route[]>>
  /** The last part has it; `services` of a reading are empty. */
  readonly outcome: Outcome | undefined
}

/** Services or routes that are taken over within some milliseconds. */
const PART = 1_000

/** As far from here in src as in dist. */
const SCRIPT = new URL('../../../dist/cli/server/reading-thread.js', import.meta.url)

/**
 * Reads a configuration in a thread, because many services take longer to check than a connection may wait.
 *
 * @throws {ConfigError} naming what is wrong.
 */
export async function readApart(
  args: readonly string[],
  { env }: Pick<ProgramIo, 'env'>,
  sources?: readonly Source[],
): Promise<Reading> {
  const task: ReadingTask = { args, env: { ...env }, sources }
  const thread = new Worker(SCRIPT, { workerData: task })
  thread.unref()
  const services: Service[] = []
  for (;;) {
    const [part] = (await once(thread, 'message')) as [Part] // it sends nothing else
    services.push(...part.services)
    for (const section of sections) addRoutes(services.at(-1)?.[section], part.routes[section])
    if (part.outcome) return wholeOf(part.outcome, services)
    thread.postMessage('next')
  }
}

function addRoutes(
  to: { readonly routes: readonly Route[] } | undefined,
  routes: readonly Route[] = [],
): void {
  ;(to?.routes as Route[] | undefined)?.push(...routes) // it is a copy that nothing else has yet
}

function wholeOf(outcome: Outcome, services: readonly Service[]): Reading {
  if ('fault' in outcome) throw new ConfigError(outcome.fault)
  return { ...outcome, configuration: { ...outcome.configuration, services } }
}

/** Each is copied in one turn of the event loop. */
export function* partsOf(outcome: Outcome): Generator<Part> {
  const none = { services: [], routes: {}, outcome: undefined }
  if ('fault' in outcome) {
    yield { ...none, outcome }
    return
  }
  const { configuration } = outcome
  let [services, size]: [Service[], number] = [[], 0]
  for (const service of configuration.services) {
    const routes = branchesOf(service).length
    const isLarge = routes > PART
    services.push(isLarge ? withoutRoutes(service) : service)
    size += 1 + routes
    if (size < PART) continue
    yield { ...none, services }
    ;[services, size] = [[], 0]
    if (isLarge) yield* routesOf(service)
  }
  yield { ...none, services, outcome: { ...outcome, configuration: { ...configuration, services: [] } } }
}

function withoutRoutes(service: Service): Service {
  const emptied = sections.filter(name => service[name]).map(name => [name, { ...service[name], routes: [] }])
  return { ...service, ...Object.fromEntries(emptied) } as Service // with the same sections
}

function* routesOf(service: Service): Generator<Part> {
  for (const section of sections) {
    const routes = service[section]?.routes ?? []
    for (let at = 0; at < routes.length; at += PART) {
      yield { services: [], routes: { [section]: routes.slice(at, at + PART) }, outcome: undefined }
    }
  }
}

/** An error would lose its class on the way out of the thread. */
export function readHere({ args, env, sources: kept }: ReadingTask): Outcome {
  try {
    const { configuration, sources } = serverRequest(args, { ...processIo, env }, kept)
    return { configuration, sources }
  } catch (error) {
    if (error instanceof ConfigError) return { fault: error.message }
    throw error
  }
}
