// Attacks the decoder, then every kind of server, with headers that are nearly right, for five minutes: any error, warning,
// rejection, connection that hangs or is given to the application without a sound header, and memory that grows ends it with 1.
//
// npm run fuzz                             half of the time for the decoder, half for the servers
// npm run fuzz -- --seconds 30 --seed 7    shorter; a run of the decoder can be repeated by its seed
// npm run fuzz -- --write                  keeps inputs of new kinds in corpus.txt

import { fork } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import type { Order, Progress } from './fuzz/worker.ts'

/** Milliseconds without a word after which a worker hangs; the machine may be busy. */
const HANG = 60_000
/** Bytes by which memory may grow after the first tenth of the time. */
const GROWTH = 32 * 2 ** 20

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    write: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds) / 2
for (const what of ['decoder', 'servers'] as const) {
  const order = { what, seconds, seed: Number(values.seed), write: values.write && what === 'decoder' }
  const { text, finding } = await run(order)
  console.log(text)
  if (finding === undefined) continue
  console.error(finding)
  process.exitCode = 1
}

async function run(order: Order): Promise<{ text: string; finding: string | undefined }> {
  const worker = fork(fileURLToPath(new URL('fuzz/worker.ts', import.meta.url)), {
    execArgv: ['--expose-gc', '--import', 'tsx'],
  })
  const told: Progress[] = []
  let heard = performance.now()
  const watch = setInterval(() => performance.now() - heard > HANG && worker.kill('SIGKILL'), 1_000)
  worker.on('message', (progress: Progress) => {
    heard = performance.now()
    told.push(progress)
  })
  worker.send(order)
  const ending = await new Promise(resolve => worker.once('exit', (code, signal) => resolve(signal ?? code)))
  clearInterval(watch)
  return judge(order, told, ending)
}

function judge(
  { what, seed }: Order,
  told: readonly Progress[],
  ending: unknown,
): { text: string; finding: string | undefined } {
  const last = told.at(-1)
  const early = told[Math.floor(told.length / 10)]
  const grown = (last?.heap ?? 0) - (early?.heap ?? 0)
  const kinds = last?.signatures ? `${last.signatures} kinds of outcome, ` : '' // of servers nothing is kept to start from
  const text =
    `${what}: seed ${seed}, ${last?.inputs ?? 0} inputs, ${kinds}` +
    `${((last?.heap ?? 0) / 2 ** 20).toFixed(1)} MiB in use, ${(grown / 2 ** 20).toFixed(1)} MiB more than at first`
  if (last?.finding !== undefined) return { text, finding: last.finding }
  if (!last?.done) return { text, finding: `${what} hangs or has crashed (${String(ending)})` }
  return { text, finding: grown > GROWTH ? `${what} keeps memory` : undefined }
}
