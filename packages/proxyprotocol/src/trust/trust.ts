// Decides from the peer's address, before a byte is read.

import { quote } from '../checks/index.ts'
import { unmapAddress } from '../codec/index.ts'
import { compileNetworks, type Peer } from './networks.ts'
import { isHostName } from './trust-names.ts'

/**
 * Who may send headers: CIDRs, addresses and `'unix'`, `'anyone'`, or a predicate, which gets IPv4-mapped
 * peers as IPv4.
 */
export type Trust = 'anyone' | readonly string[] | ((peer: Peer) => boolean)

export function compileTrust(trust: Trust): (peer: Peer) => boolean {
  if (trust === 'anyone') return () => true
  if (typeof trust === 'function') {
    return peer => {
      const verdict: unknown = trust({ ...peer, address: peer.address && unmapAddress(peer.address) })
      if (verdict instanceof Promise) {
        verdict.catch(() => undefined) // otherwise its rejection would end the process
        throw new TypeError('trust must answer at once, but the predicate gave a promise')
      }
      return verdict === true
    }
  }
  if (!Array.isArray(trust)) {
    const must = "trust must be a list of CIDRs, 'anyone' or a function"
    throw new TypeError(`${must}, got ${quote(trust)}${hintAt(trust)}`)
  }
  if (trust.includes('anyone')) {
    throw new TypeError(
      `trust must not have 'anyone' in a list, got ${quote(trust)}; did you mean trust: 'anyone'?`,
    )
  }
  const name: unknown = trust.find(isHostName)
  if (name !== undefined) {
    throw new TypeError(
      `trust must have addresses and networks, got the name ${quote(name)}; ` +
        `did you mean trust: trustNames(${quote(trust)})?`,
    )
  }
  return compileNetworks(trust, 'trust')
}

function hintAt(trust: unknown): string {
  if (typeof trust !== 'string') return ''
  const entries = trust.split(',').map(entry => entry.trim())
  if (entries.some(isHostName)) return `; did you mean trustNames(${quote(entries)}) or 'anyone'?`
  try {
    compileNetworks(entries, 'trust')
  } catch {
    return ''
  }
  return `; did you mean ${quote(entries)}?`
}
