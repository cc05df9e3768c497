// One flow must always reach one worker, and the kernel gives a datagram to any of them. So one worker serves all of a
// UDP service. Its address decides, which stays over a reload.

import { hash } from 'node:crypto'
import { addressKey, type Configuration, type Service } from '../../config/index.ts'
import { sumOfNumbers } from '../../figures/index.ts'
import type { ChangeCounts } from '../services/index.ts'
import type { WorkerProcess } from './worker-process.ts'

type Changing = Pick<WorkerProcess, 'number' | 'ask' | 'kill'>

/** What the worker with this number serves, from 1. */
export function ownPart(configuration: Configuration, number: number): Configuration {
  const { services, workers } = configuration
  const own = services.filter(service => !service.datagrams || ownerOf(service, workers) === number)
  return { ...configuration, services: own }
}

export function ownerOf({ listen }: Pick<Service, 'listen'>, workers: number): number {
  return (hash('sha256', addressKey(listen), 'buffer').readUInt32LE() % workers) + 1
}

/** The first one decides for all. One that cannot follow is killed. */
export async function changeAll(
  [first, ...others]: readonly [Changing, ...Changing[]],
  next: Configuration,
  patience: number,
): Promise<ChangeCounts> {
  const ask = (worker: Changing): Promise<ChangeCounts> => {
    const configuration = ownPart(next, worker.number)
    return worker.ask({ type: 'change', configuration, isFirst: worker === first }, patience)
  }
  let counts = await ask(first)
  const followed = others.map(async worker => {
    try {
      counts = sumOfNumbers(counts, await ask(worker))
    } catch {
      worker.kill()
    }
  })
  await Promise.all(followed)
  return counts
}
