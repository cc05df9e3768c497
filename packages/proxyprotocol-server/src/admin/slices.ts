// Work that grows with the number of services must not delay relayed connections.

import { setImmediate as turn } from 'node:timers/promises'

const SLICE = 2

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

export async function bytesOf(pieces: Iterable<string>): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const slice of inSlices(pieces)) chunks.push(Buffer.from(slice.join('')))
  return chunks
}
