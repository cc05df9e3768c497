import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { branchesOf, ConfigError, type Service, type Source } from '../../config/index.ts'
import type { Reading } from '../control/index.ts'
import { processIo, type ProgramIo } from '../program.ts'
import { serverRequest } from './arguments.ts'

export interface ReadingTask {
  readonly args: readonly string[]
  readonly env: ProgramIo['env']
  readonly sources?: readonly Source[] | undefined
}

export type Outcome = Reading | { readonly fault: string }

/** What the thread sends for each message to it. */
export interface Part {
  readonly services: readonly Service[]
  /** The last part has it; `services` of a reading are empty. */
  readonly outcome: Outcome | undefined
}

/** Services and routes that are taken over within some milliseconds. */
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
    if (part.outcome) return wholeOf(part.outcome, services)
    thread.postMessage('next')
  }
}

function wholeOf(outcome: Outcome, services: readonly Service[]): Reading {
  if ('fault' in outcome) throw new ConfigError(outcome.fault)
  return { ...outcome, configuration: { ...outcome.configuration, services } }
}

/** Each is copied in one turn of the event loop. */
export function* partsOf(outcome: Outcome): Generator<Part> {
  if ('fault' in outcome) {
    yield { services: [], outcome }
    return
  }
  const { configuration } = outcome
  let [services, size]: [Service[], number] = [[], 0]
  for (const service of configuration.services) {
    services.push(service)
    size += 1 + branchesOf(service).length
    if (size < PART) continue
    yield { services, outcome: undefined }
    ;[services, size] = [[], 0]
  }
  yield { services, outcome: { ...outcome, configuration: { ...configuration, services: [] } } }
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
