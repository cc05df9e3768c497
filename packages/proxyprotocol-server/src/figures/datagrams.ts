// What a service of datagrams has counted. `received` is always `accepted` and all of `dropped`; `opened` is `active` and
// all of `ended`.

import type { DropReason, FlowEnd } from 'proxyprotocol/udp'
import { sumOfNumbers } from './merged.ts'

/** What was relayed in one direction. */
export interface DirectionCounts {
  readonly datagrams: number
  /** Payload, without headers. */
  readonly bytes: number
}

/** The datagrams and flows of a UDP service. */
export interface DatagramFigures {
  /** Of clients and upstreams. */
  readonly received: number
  readonly accepted: number
  readonly dropped: Readonly<Record<DropReason, number>>
  /** From clients to upstreams. */
  readonly up: DirectionCounts
  readonly down: DirectionCounts
  readonly flows: {
    readonly active: number
    /** Those of `active` whose client has sent again after a reply. */
    readonly confirmed: number
    readonly opened: number
    readonly ended: Readonly<Record<FlowEnd, number>>
  }
  /** Datagrams that the kernel dropped before the program could read them; undefined if it does not say. */
  readonly kernelDrops: number | undefined
}

export function sumOfDatagrams(
  one: DatagramFigures | undefined,
  other: DatagramFigures | undefined,
): DatagramFigures | undefined {
  if (one === undefined || other === undefined) return one ?? other
  const [flows, others] = [one.flows, other.flows]
  return {
    received: one.received + other.received,
    accepted: one.accepted + other.accepted,
    dropped: sumOfNumbers(one.dropped, other.dropped),
    up: sumOfNumbers(one.up, other.up),
    down: sumOfNumbers(one.down, other.down),
    flows: {
      active: flows.active + others.active,
      confirmed: flows.confirmed + others.confirmed,
      opened: flows.opened + others.opened,
      ended: sumOfNumbers(flows.ended, others.ended),
    },
    kernelDrops: one.kernelDrops ?? other.kernelDrops,
  }
}

/** If its process was killed, its flows were aborted. */
export function endedDatagrams(figures: DatagramFigures | undefined): DatagramFigures | undefined {
  if (figures === undefined) return undefined
  const { active, opened, ended } = figures.flows
  return {
    ...figures,
    flows: { active: 0, confirmed: 0, opened, ended: { ...ended, aborted: ended.aborted + active } },
    kernelDrops: undefined,
  }
}
