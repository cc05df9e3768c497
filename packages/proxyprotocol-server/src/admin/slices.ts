// Work that grows with the number of services is done in slices, so that it does not delay relayed connections.

import { setImmediate as turn } from 'node:timers/promises'

/** Milliseconds. The event loop serves connections between two slices, and what a reader does with a slice takes time too. */
const SLICE = 2

/** The items in lists that take a slice each to make; between two of them the event loop turns. */
export async function* inSlices<Item>(items: Iterable<Item>): AsyncGenerator<readonly Item[]> {
  let [slice, end]: [Item[], number] = [[], performance.now() + SLICE]
  for (const item of items) {
    slice.push(item)
    if (performance.now() < end) continue
    yield slice
    await turn()
    ;[slice, end] = [[], performance.now() + SLICE]
  }
  yield slice
}

/** The bytes of a text that comes in pieces. */
export async function bytesOf(pieces: Iterable<string>): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const slice of inSlices(pieces)) chunks.push(Buffer.from(slice.join('')))
  return chunks
}
