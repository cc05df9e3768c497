// go-proxyproto on the headers of the decode rows, in a process of its own that takes its turn in every round.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { provide, type Program } from '../../interop/debian.ts'

import type { Row } from './contender.ts'
import { median } from '../median.ts'
import { inTurn, timeOf, type Once } from './measure.ts'
import type { Result } from './report.ts'
import type { Sample } from './samples.ts'
import { keepPorts, keepTexts } from './sink.ts'

const NAME = 'go-proxyproto'
const SOURCE = fileURLToPath(new URL('go/main.go', import.meta.url))
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/bench-codec', import.meta.url))
const debian = {
  program: 'go',
  packages: ['golang-go', 'golang-github-pires-go-proxyproto-dev'],
  version: ['version'],
}

interface Ends {
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
}

interface Cost {
  readonly nanoseconds: number
  readonly bytesAllocated: number
}

/** Nothing, with a word on standard error, if Debian's packages cannot be had. */
export async function goResults(rows: readonly Row<Sample>[], rounds: number): Promise<readonly Result[]> {
  const program = build()
  if (program === undefined) return []
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    return await measured(child, rows, rounds)
  } finally {
    child.kill()
  }
}

function build(): string | undefined {
  try {
    return compile(provide(debian))
  } catch (error) {
    console.error(`\n*** ${NAME} is LEFT OUT: ${(error as Error).message} ***\n`) // both throw errors only
    return undefined
  }
}

function compile({ path, root, environment }: Program): string {
  mkdirSync(CACHE, { recursive: true })
  const program = join(CACHE, NAME)
  const go = {
    GOPATH: join(root || '/', 'usr/share/gocode'),
    GO111MODULE: 'off',
    GOFLAGS: '',
    GOCACHE: join(CACHE, 'go'),
  }
  const { status, error, stderr } = spawnSync(path, ['build', '-o', program, SOURCE], {
    env: { ...process.env, ...environment, ...go, CGO_ENABLED: '0' },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(error?.message ?? stderr)
  return program
}

async function measured(
  child: ChildProcess & { readonly stdin: NodeJS.WritableStream; readonly stdout: NodeJS.ReadableStream },
  rows: readonly Row<Sample>[],
  rounds: number,
): Promise<readonly Result[]> {
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]() as AsyncIterator<string, undefined> // it returns nothing
  const ask = async (line: string): Promise<unknown> => {
    child.stdin.write(`${line}\n`)
    const { done, value } = await answers.next()
    if (done) throw new Error(`${NAME} has ended`)
    return JSON.parse(value)
  }
  const headers = rows.map(({ inputs }) => inputs.map(({ bytes }) => bytes.toString('base64')))
  verify(rows, (await ask(JSON.stringify(headers))) as readonly (readonly Ends[])[]) // our own program's
  const results: Result[] = []
  for (const [index, row] of rows.entries()) {
    const once = inTurn(row)[0] as Once // ours comes first
    const costs: (Cost & { readonly timesOurs: number })[] = []
    for (let round = 0; round <= rounds; round++) {
      const ours = timeOf(once)
      const cost = (await ask(String(index))) as Cost
      costs.push({ ...cost, timesOurs: cost.nanoseconds / ours })
    }
    results.push(resultOf(row, costs.slice(1))) // the first one warms up
  }
  return results
}

function verify(rows: readonly Row<Sample>[], answers: readonly (readonly Ends[])[]): void {
  for (const [index, { name, inputs, check }] of rows.entries()) {
    for (const [at, input] of inputs.entries()) {
      const answer = answers[index]?.[at]
      if (answer === undefined) throw new Error(`${NAME} has left a header out`)
      keepTexts(answer.source, answer.destination)
      keepPorts(answer.sourcePort, answer.destinationPort)
      check(input, `decode ${name}, ${NAME}`)
    }
  }
}

function resultOf(
  { task, name }: Row<Sample>,
  costs: readonly (Cost & { readonly timesOurs: number })[],
): Result {
  return {
    task,
    name,
    contender: NAME,
    notes: ['i'],
    nanoseconds: median(costs.map(cost => cost.nanoseconds)),
    timesOurs: median(costs.map(cost => cost.timesOurs)),
    bytesAllocated: Math.round(median(costs.map(cost => cost.bytesAllocated))),
  }
}
