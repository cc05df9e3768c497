// The process that is attacked: the decoder or the servers, until the time is over or something is found. Its parent
// watches whether it still makes progress.

import process from 'node:process'

import { randomFrom, type Random } from 'test-support/random'
import { attack } from './attack.ts'
import { checkDecoder } from './decoder.ts'
import { Pool } from './pool.ts'
import { startTargets } from './servers.ts'

/** What a worker is to do. */
export interface Order {
  readonly what: 'decoder' | 'servers'
  readonly seconds: number
  readonly seed: number
  readonly write: boolean
}

/** What it tells, twice a second and at its end. */
export interface Progress {
  readonly inputs: number
  readonly signatures: number
  /** Bytes in use after a garbage collection. */
  readonly heap: number
  readonly finding?: string
  readonly done: boolean
}

const TELL_EVERY = 500
/** Connections at a time. */
const AT_ONCE = 16

process.once('message', (order: Order) => void obey(order))

async function obey(order: Order): Promise<void> {
  const random = randomFrom(order.seed)
  const pool = new Pool()
  const counts = { inputs: 0 }
  let finding: string | undefined
  const until = performance.now() + order.seconds * 1_000
  const tell = (done: boolean): boolean =>
    process.send?.({
      inputs: counts.inputs,
      signatures: pool.signatures,
      heap: heapInUse(),
      done,
      ...(finding !== undefined && { finding }),
    } satisfies Progress) ?? false
  const fail = (error: unknown, input?: Uint8Array): void => {
    finding ??= `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n  ${Buffer.from(input ?? []).toString('hex')}`
  }
  process.on('uncaughtException', error => fail(error))
  process.on('unhandledRejection', error => fail(error))
  process.on('warning', error => fail(error))
  const ticker = setInterval(() => tell(false), TELL_EVERY)
  const going = (): boolean => performance.now() < until && finding === undefined
  const context = { pool, random, going, counts, fail }
  await (order.what === 'decoder' ? fuzzDecoder(context) : fuzzServers(context))
  clearInterval(ticker)
  if (order.write) pool.write()
  tell(true)
  process.disconnect()
}

interface Context {
  readonly pool: Pool
  readonly random: Random
  readonly counts: { inputs: number }
  readonly going: () => boolean
  readonly fail: (error: unknown, input?: Uint8Array) => void
}

async function fuzzDecoder({ pool, random, going, counts, fail }: Context): Promise<void> {
  const first = [...pool.inputs]
  while (going()) {
    for (let batch = 0; batch < 200; batch++) {
      const input = first.pop() ?? pool.next(random)
      try {
        pool.saw(input, checkDecoder(input, random))
      } catch (error) {
        fail(error, input)
      }
      counts.inputs++
    }
    await new Promise(resolve => setImmediate(resolve)) // so that the parent hears of it
  }
}

async function fuzzServers({ pool, random, going, counts, fail }: Context): Promise<void> {
  const targets = await startTargets()
  const client = async (): Promise<void> => {
    while (going()) {
      const header = random.below(4) === 0 ? random.pick(pool.inputs) : pool.next(random)
      try {
        await attack(random.pick(targets), header, random)
      } catch (error) {
        fail(error, header)
      }
      counts.inputs++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, client))
  await new Promise(resolve => setTimeout(resolve, TELL_EVERY))
  for (const target of targets) {
    const left = await target.close()
    if (left !== '') fail(left)
  }
}

function heapInUse(): number {
  global.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
