// The words about a service of datagrams.

import type { ServiceShown } from '../../dist/figures/index.js'
import { count } from './format.ts'
import { sumOf } from './trouble.ts'

type Datagrams = NonNullable<ServiceShown['datagrams']>

export function droppedOf({ dropped }: Datagrams): number {
  return sumOf(Object.values(dropped))
}

export function datagramsText({ flows, received, accepted, up, down, kernelDrops }: Datagrams): string {
  return [
    `flows: ${count(flows.active)} active, ${count(flows.confirmed)} confirmed, ${count(flows.opened)} opened`,
    `datagrams: ${count(received)} received, ${count(accepted)} accepted, ${count(up.datagrams)} up, ${count(down.datagrams)} down`,
    ...(kernelDrops ? [`${count(kernelDrops)} dropped by the kernel`] : []),
  ].join('; ')
}
