// What a service asks DNS block lists about its clients, and what follows from the answer.

import type { Zone } from 'proxyprotocol/dnsbl'

/** What happens to a client that is listed. */
export const listedActions = ['reject', 'tag', 'log'] as const

/**
 * `reject` closes the connection, `tag` tells the upstream in the extension TLV of the Python library, `log` delays nobody
 * and says it in the record alone. A client of which nothing is known gets in with each of them.
 */
export type ListedAction = (typeof listedActions)[number]

/** Block lists, and how they are asked; see `lookup` of `proxyprotocol/dnsbl`. */
export interface BlockLists {
  /** All are asked at once. The names of Spamhaus's zones bring their meanings. */
  readonly zones: readonly (Zone | string)[]
  readonly action: ListedAction
  /** Milliseconds for all zones together. Default 1000. */
  readonly timeout?: number | undefined
  /** Name servers, `ADDRESS` or `ADDRESS:PORT`; default those of the system. */
  readonly servers?: readonly string[] | undefined
}
