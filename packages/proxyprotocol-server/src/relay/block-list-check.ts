// A list that is down says nothing about clients, so they are accepted.

import { ProxyProtocolError } from 'proxyprotocol'
import {
  createListingCache,
  lookup,
  type Listed,
  type Listing,
  type ListingCache,
  type LookupOptions,
  type UnknownReason,
} from 'proxyprotocol/dnsbl'
import type { Connection, ConnectionInfo } from 'proxyprotocol/server'
import type { BlockLists } from '../config/index.ts'
import type { ListingCounts } from '../figures/index.ts'
import type { RelayedConnection } from './stats/index.ts'

export function describeListed({ meaning, zone }: Listed): string {
  return meaning ?? zone
}

export function describeListing(listing: Listing): string {
  if (listing.status === 'listed') return describeListed(listing)
  return listing.status === 'unknown' ? `unknown: ${listing.reason}` : listing.status
}

export class BlockListCheck {
  readonly action: BlockLists['action']
  readonly #zones: BlockLists['zones']
  readonly #options: LookupOptions & { readonly cache: ListingCache }
  #listed = 0
  #clear = 0
  readonly #unknown: Record<UnknownReason, number> = {
    timeout: 0,
    aborted: 0,
    server_failure: 0,
    refused: 0,
    zone_error: 0,
    foreign_answer: 0,
    resolver_error: 0,
  }

  constructor({ zones, timeout, servers, action }: BlockLists) {
    this.action = action
    this.#zones = zones
    this.#options = { timeout, servers, cache: createListingCache() }
  }

  get counts(): ListingCounts {
    return { listed: this.#listed, clear: this.#clear, unknown: { ...this.#unknown } }
  }

  async ask({ header, source }: ConnectionInfo, signal: AbortSignal): Promise<Listing | undefined> {
    const tellsNobody = header !== undefined && (header.command === 'LOCAL' || header.family === 'UNSPEC')
    if (tellsNobody || source === undefined || 'path' in source) return undefined
    const listing = await lookup(source.address, this.#zones, { ...this.#options, signal })
    if (listing.status === 'listed') this.#listed++
    else if (listing.status === 'clear') this.#clear++
    else this.#unknown[listing.reason]++
    return listing
  }
}

/** @throws ProxyProtocolError `denied_dnsbl`. */
export async function askBlockLists(
  blockLists: BlockListCheck,
  connection: Pick<Connection, 'info' | 'signal'>,
  relayed: RelayedConnection,
): Promise<void> {
  const answered = blockLists.ask(connection.info, connection.signal).then(listing => {
    relayed.answered(listing)
  })
  if (blockLists.action === 'log') return // it never rejects
  await answered
  const { listing } = relayed
  if (blockLists.action === 'reject' && listing?.status === 'listed') {
    throw new ProxyProtocolError('denied_dnsbl', { detail: describeListed(listing) })
  }
}
