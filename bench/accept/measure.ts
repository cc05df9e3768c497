// Measures servers in interleaved rounds (A B C, B C A, ...), so that whatever else the machine does falls on all alike;
// rounds are short, so that it does within a round too.
//
// Each server has several processes, one after the other: how well V8 has optimised differs by some percent from
// process to process, and stays for all of its life.

import { median } from '../median.ts'
import type { Contender, LoadKind } from './contender.ts'
import { run } from './load.ts'
import type { Result } from './report.ts'
import { Subject } from './subject.ts'

/** How much and how often. */
export interface Plan {
  /** The binary that runs the servers. */
  readonly node: string
  readonly processes: number
  /** Rounds in each process. */
  readonly rounds: number
  /** Connections or requests in each round. */
  readonly operations: Readonly<Record<LoadKind, number>>
  readonly pinned: boolean
}

/** By operation. */
interface Sample {
  readonly cpuMicroseconds: number
  readonly seconds: number
}

/** Before the first round that counts; V8 goes on improving code for about 15,000 connections, but little by then. */
const WARM_UP_OPERATIONS = 8_000

/** Measures the contenders of a row; the first is the bare one. */
export async function measure(row: readonly Contender[], plan: Plan): Promise<readonly Result[]> {
  const samples = row.map((): Sample[] => [])
  for (let i = 0; i < plan.processes; i++) await measureProcesses(row, plan, samples)
  const [bare = []] = samples
  return row.map((contender, index) => resultOf(contender, samples[index] ?? [], bare))
}

async function measureProcesses(row: readonly Contender[], plan: Plan, samples: Sample[][]): Promise<void> {
  const subjects: Subject[] = []
  try {
    for (const contender of row) subjects.push(await Subject.start(contender, plan))
    for (const subject of subjects) await warmUp(subject, plan)
    for (let turn = 0; turn < plan.rounds * subjects.length; turn++) {
      const index = (turn + Math.floor(turn / subjects.length)) % subjects.length
      samples[index]?.push(await sampleOf(subjects[index] as Subject, plan)) // the remainder is below the length
    }
  } finally {
    await Promise.all(subjects.map(subject => subject.stop()))
  }
}

async function warmUp(subject: Subject, plan: Plan): Promise<void> {
  const operations = plan.operations[subject.contender.load]
  for (let done = 0; done < WARM_UP_OPERATIONS; done += operations) await sampleOf(subject, plan)
}

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
