// Each looks for itself, because it may have tried the upstream that has room.

import { ProxyProtocolError } from 'proxyprotocol'
import type { StopSignal } from 'proxyprotocol/client'
import type { QueueSettings } from '../../config/index.ts'

interface Waiting {
  readonly signal: StopSignal
  readonly waited: number
}

export class UpstreamQueue {
  readonly #settings: QueueSettings
  readonly #now: () => number
  readonly #waiting = new Map<() => boolean, () => void>()

  constructor(settings: QueueSettings, now: () => number) {
    this.#settings = settings
    this.#now = now
  }

  get length(): number {
    return this.#waiting.size
  }

  wait(hasRoom: () => boolean, { signal, waited }: Waiting): Promise<number> {
    const { size, timeout } = this.#settings
    if (signal.aborted) return Promise.reject(abortedBy(signal))
    if (this.#waiting.size >= size) {
      return Promise.reject(new ProxyProtocolError('limit_upstream', { detail: `${String(size)} wait` }))
    }
    const from = this.#now()
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.#waiting.delete(hasRoom)
      }
      const onAbort = (): void => {
        leave()
        reject(abortedBy(signal))
      }
      const onTimeout = (): void => {
        leave()
        reject(new ProxyProtocolError('queue_timeout', { detail: `${String(timeout)} ms` }))
      }
      const timer = setTimeout(onTimeout, timeout - waited).unref()
      signal.addEventListener('abort', onAbort)
      this.#waiting.set(hasRoom, () => {
        leave()
        resolve(this.#now() - from)
      })
    })
  }

  next(): void {
    if (this.#waiting.size > 0) this.#release(1)
  }

  all(): void {
    this.#release(this.#waiting.size)
  }

  #release(most: number): void {
    let left = most
    for (const [hasRoom, go] of this.#waiting) {
      if (left === 0) return
      if (!hasRoom()) continue
      go()
      left--
    }
  }
}

function abortedBy({ reason: cause }: StopSignal): ProxyProtocolError {
  return new ProxyProtocolError('aborted', { cause })
}
