import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ConfigError, type Configuration } from '../../config/index.ts'
import { processIo, type ProgramIo } from '../program.ts'
import { serverRequest } from './arguments.ts'

export interface ReadingTask {
  readonly args: readonly string[]
  readonly env: ProgramIo['env']
}

export type Reading = { readonly configuration: Configuration } | { readonly fault: string }

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
): Promise<Configuration> {
  const task: ReadingTask = { args, env: { ...env } }
  const thread = new Worker(SCRIPT, { workerData: task })
  thread.unref()
  const [reading] = (await once(thread, 'message')) as [Reading] // its only message
  if ('fault' in reading) throw new ConfigError(reading.fault)
  return reading.configuration
}

/** An error would lose its class on the way out of the thread. */
export function readHere({ args, env }: ReadingTask): Reading {
  try {
    return { configuration: serverRequest(args, { ...processIo, env }).configuration }
  } catch (error) {
    if (error instanceof ConfigError) return { fault: error.message }
    throw error
  }
}
