// Work that grows with the configuration must not delay relayed connections.

import { setImmediate as turn } from 'node:timers/promises'

/** Milliseconds until connections are served again. */
const SLICE = 2

/** The function that it gives waits for a turn of the event loop whenever a slice is over. */
export function slicer(): () => Promise<void> {
  let end = performance.now() + SLICE
  return async () => {
    if (performance.now() < end) return
    await turn()
    end = performance.now() + SLICE
  }
}
