import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ConfigError, type Source } from '../../config/index.ts'
import type { Reading } from '../control/index.ts'
import { processIo, type ProgramIo } from '../program.ts'
import { serverRequest } from './arguments.ts'

export interface ReadingTask {
  readonly args: readonly string[]
  readonly env: ProgramIo['env']
  readonly sources?: readonly Source[] | undefined
}

export type Outcome = Reading | { readonly fault: string }

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
  const [outcome] = (await once(thread, 'message')) as [Outcome] // its only message
  if ('fault' in outcome) throw new ConfigError(outcome.fault)
  return outcome
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
