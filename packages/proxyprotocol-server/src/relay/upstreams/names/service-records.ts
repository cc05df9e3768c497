// SRV records (RFC 2782) as addresses with a port, a share of the weight, and a place among the backups.

import dns, { type LookupAddress, type SrvRecord } from 'node:dns'
import type { FoundAddress } from './found-address.ts'
import type { Resolve } from './resolved-name.ts'

/** RFC 2782: beside other records, one of weight 0 has a very small chance. */
const SMALL = 0.01

interface Target {
  readonly record: SrvRecord
  readonly addresses: readonly LookupAddress[]
}

/** A target whose look-up fails keeps its addresses, as a name does. */
export function serviceRecords(resolve: Resolve): (name: string) => Promise<readonly FoundAddress[]> {
  const last = new Map<string, readonly LookupAddress[]>()
  async function lookup(target: string, faults: unknown[]): Promise<readonly LookupAddress[]> {
    try {
      const addresses = await resolve(target)
      last.set(target, addresses)
      return addresses
    } catch (fault) {
      faults.push(fault)
      return last.get(target) ?? []
    }
  }
  return async name => {
    // Called through the module's object, so that a replaced function takes effect.
    const records = (await dns.promises.resolveSrv(name)).filter(record => record.name !== '') // "." is for none
    const faults: unknown[] = []
    const names = new Set(records.map(record => record.name))
    for (const target of last.keys()) if (!names.has(target)) last.delete(target)
    const groups = await Promise.all(
      [...names].map(async target => {
        const addresses = await lookup(target, faults)
        return records.filter(each => each.name === target).map(record => ({ record, addresses }))
      }),
    )
    const usable = groups.flat().filter(({ addresses }) => addresses.length > 0)
    if (usable.length === 0 && faults.length > 0) throw faults[0]
    return usable.flatMap(target => addressesOf(target, usable))
  }
}

/** The shares of a priority's records are 1 on average. */
function addressesOf({ record, addresses }: Target, all: readonly Target[]): readonly FoundAddress[] {
  const { port, priority } = record
  const peers = all.filter(other => other.record.priority === priority).map(other => other.record.weight)
  const sum = peers.reduce((before, weight) => before + weight, 0)
  const atLeast = sum === 0 ? 1 : (SMALL * sum) / peers.length
  const weightOf = (weight: number): number => Math.max(weight, atLeast)
  const total = peers.reduce((before, weight) => before + weightOf(weight), 0)
  const share = (weightOf(record.weight) * peers.length) / total / addresses.length
  const backup = all.some(other => other.record.priority < priority)
  return addresses.map(address => ({ ...address, port, share, backup }))
}
