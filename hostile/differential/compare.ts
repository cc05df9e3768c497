// Sends every header to every peer, a few dozen at a time, and sorts what differs by the list of reasons.

import { ask } from './ask.ts'
import type { Peer } from './peers.ts'
import { reasons, type Disagreement, type Reason } from './reasons.ts'
import { agree, ourVerdict } from './verdict.ts'

/** Connections at a time. */
const AT_ONCE = 32

/** What came of all headers at one peer. */
export interface Comparison {
  readonly peer: Peer
  readonly total: number
  /** Headers that both accept, for the same client. */
  readonly accepted: number
  /** Headers that both refuse, or that no server can be expected to answer. */
  readonly refused: number
  readonly explained: ReadonlyMap<Reason, readonly Disagreement[]>
  readonly unexplained: readonly Disagreement[]
}

/** Compares the verdicts on all headers. */
export async function compare(peer: Peer, headers: readonly Uint8Array[]): Promise<Comparison> {
  const counts = { accepted: 0, refused: 0 }
  const explained = new Map<Reason, Disagreement[]>()
  const unexplained: Disagreement[] = []
  await eachAtOnce(headers, async header => {
    const theirs = await ask(peer, header)
    const ours = ourVerdict(header, peer.payload)
    if (agree(ours, theirs)) {
      counts[theirs.kind === 'accepted' ? 'accepted' : 'refused']++
      return
    }
    const disagreement = { peer: peer.name, header, ours, theirs }
    const reason = reasons.find(each => each.peers.includes(peer.name) && each.covers(disagreement))
    if (reason) explained.set(reason, [...(explained.get(reason) ?? []), disagreement])
    else unexplained.push(disagreement)
  })
  return { peer, total: headers.length, ...counts, explained, unexplained }
}

async function eachAtOnce<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = items.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of left) await work(item)
    }),
  )
}
