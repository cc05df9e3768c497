// Measures servers in interleaved rounds (A B C, B C A, ...), so that whatever else the machine does falls on all alike.

import type { Contender, LoadKind } from './contender.ts'
import { run } from './load.ts'
import type { Result } from './report.ts'
import { Subject } from './subject.ts'

/** How much and how often. */
export interface Plan {
  readonly rounds: number
  readonly operations: Readonly<Record<LoadKind, number>>
  readonly pinned: boolean
}

interface Sample {
  readonly cpuMicroseconds: number
  readonly seconds: number
}

/** V8 goes on improving code for about 15,000 connections; this many rounds before the first that counts. */
const WARM_UP_ROUNDS = 4

/** Measures the contenders of a row; the first is the bare one. */
export async function measure(row: readonly Contender[], plan: Plan): Promise<readonly Result[]> {
  const subjects: Subject[] = []
  try {
    for (const contender of row) subjects.push(await Subject.start(contender, plan.pinned))
    for (let i = 0; i < WARM_UP_ROUNDS; i++) for (const subject of subjects) await sampleOf(subject, plan)
    const samples = subjects.map((): Sample[] => [])
    for (let turn = 0; turn < plan.rounds * subjects.length; turn++) {
      const index = (turn + Math.floor(turn / subjects.length)) % subjects.length
      samples[index]?.push(await sampleOf(subjects[index] as Subject, plan)) // the remainder is below the length
    }
    const [bare = []] = samples
    return subjects.map(({ contender }, index) => resultOf(contender, samples[index] ?? [], bare))
  } finally {
    await Promise.all(subjects.map(subject => subject.stop()))
  }
}

/** One run, by operation. */
async function sampleOf(subject: Subject, plan: Plan): Promise<Sample> {
  const { port, contender } = subject
  const operations = plan.operations[contender.load]
  const before = await subject.cpuMicroseconds()
  const seconds = await run({ port, load: contender.load, header: contender.header, operations })
  const after = await subject.cpuMicroseconds()
  return { cpuMicroseconds: (after - before) / operations, seconds: seconds / operations }
}

function resultOf(contender: Contender, samples: readonly Sample[], bare: readonly Sample[]): Result {
  const medianBy = (value: (sample: Sample, bare: Sample) => number): number =>
    median(samples.map((sample, round) => value(sample, bare[round] as Sample))) // as many rounds each
  return {
    ...contender,
    cpuMicroseconds: medianBy(({ cpuMicroseconds }) => cpuMicroseconds),
    cpuTimesBare: medianBy((sample, of) => sample.cpuMicroseconds / of.cpuMicroseconds),
    perSecond: medianBy(({ seconds }) => 1 / seconds),
    perSecondTimesBare: medianBy((sample, of) => of.seconds / sample.seconds),
    busy: medianBy(({ cpuMicroseconds, seconds }) => cpuMicroseconds / 1e6 / seconds),
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
}
