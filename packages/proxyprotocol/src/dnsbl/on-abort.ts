// One listener per signal, because Node 20 warns of a leak from the eleventh on.

interface Watch {
  readonly calls: Set<() => void>
  readonly listener: () => void
}

const watches = new WeakMap<AbortSignal, Watch>()

/** Returns a function that stops listening. */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  const watch = watches.get(signal) ?? startWatch(signal)
  watch.calls.add(call)
  return () => {
    watch.calls.delete(call)
    if (watch.calls.size > 0) return
    signal.removeEventListener('abort', watch.listener)
    watches.delete(signal)
  }
}

function startWatch(signal: AbortSignal): Watch {
  const calls = new Set<() => void>()
  const listener = (): void => {
    for (const call of calls) call()
  }
  signal.addEventListener('abort', listener)
  const watch = { calls, listener }
  watches.set(signal, watch)
  return watch
}
