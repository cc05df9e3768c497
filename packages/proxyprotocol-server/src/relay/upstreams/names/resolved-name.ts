// The addresses of one name: resolved on first use, then in the background.

import type { LookupAddress } from 'node:dns'
import { ProxyProtocolError } from 'proxyprotocol'
import type { StopSignal } from 'proxyprotocol/client'
import type { NameResolution } from '../../../config/index.ts'
import type { NameSnapshot } from '../../../figures/index.ts'
import type { FoundAddress } from './found-address.ts'

/** Failed connections may ask early, but not as often as they fail. */
const EARLY_PAUSE = 1_000

/** Resolves all addresses of a name, both families. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>

export interface NameOptions extends Pick<NameResolution, 'interval' | 'staleAfter'> {
  readonly resolve: (host: string) => Promise<readonly FoundAddress[]>
  readonly now: () => number
}

export interface NameWatcher {
  onAnswer(addresses: readonly FoundAddress[]): void
  onExpired(fault: ProxyProtocolError): void
}

export interface WaitOptions {
  readonly timeout: number
  readonly signal: StopSignal
}

export class ResolvedName {
  readonly host: string
  readonly #options: NameOptions
  readonly #watchers: NameWatcher[] = []
  #addresses: readonly FoundAddress[] = []
  #answeredAt: number | undefined
  #askedAt = 0
  #answers = 0
  #failures = 0
  #lastFailure: string | undefined
  #asking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  #closed = false

  constructor(host: string, options: NameOptions) {
    this.host = host
    this.#options = options
  }

  watch(watcher: NameWatcher): void {
    this.#watchers.push(watcher)
  }

  start(): void {
    if (this.#answeredAt === undefined) this.#asked().catch(() => undefined) // it is counted
  }

  async answered({ timeout, signal }: WaitOptions): Promise<void> {
    if (signal.aborted) throw new ProxyProtocolError('aborted', { cause: signal.reason })
    await new Promise<void>((resolve, reject) => {
      function settle(error?: ProxyProtocolError): void {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        if (error) reject(error)
        else resolve()
      }
      function onAbort(): void {
        settle(new ProxyProtocolError('aborted', { cause: signal.reason }))
      }
      const timer = setTimeout(() => {
        settle(new ProxyProtocolError('connect_timeout', { detail: `${timeout} ms` }))
      }, timeout).unref()
      signal.addEventListener('abort', onAbort)
      this.#asked().then(
        () => {
          settle()
        },
        (cause: unknown) => {
          settle(new ProxyProtocolError('dns_error', { detail: messageOf(cause), cause }))
        },
      )
    })
  }

  doubt(): void {
    if (this.#answeredAt === undefined || this.#asking) return
    if (this.#options.now() - this.#askedAt >= EARLY_PAUSE) this.#ask().catch(() => undefined) // it is counted
  }

  get isAnswered(): boolean {
    return this.#answeredAt !== undefined
  }

  inherit(other: ResolvedName): void {
    if (other.#answeredAt === undefined || this.#answeredAt !== undefined) return
    this.#take(other.#addresses, other.#answeredAt)
    this.#askLater()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#expiry)
  }

  snapshot(): NameSnapshot {
    return {
      name: this.host,
      addresses: this.#addresses.map(({ address }) => address),
      age: this.#answeredAt === undefined ? undefined : this.#options.now() - this.#answeredAt,
      answers: this.#answers,
      failures: this.#failures,
      lastFailure: this.#lastFailure,
    }
  }

  async #asked(): Promise<void> {
    if (this.#addresses.length === 0) await (this.#asking ?? this.#ask())
  }

  /** Never two at a time. */
  #ask(): Promise<void> {
    clearTimeout(this.#timer)
    this.#askedAt = this.#options.now()
    this.#asking = this.#answer().finally(() => {
      this.#asking = undefined
      this.#askLater()
    })
    return this.#asking
  }

  async #answer(): Promise<void> {
    try {
      const addresses = await this.#options.resolve(this.host)
      if (addresses.length === 0) throw new Error(`${this.host} has no addresses`)
      this.#answers++
      this.#take(addresses, this.#options.now())
    } catch (error) {
      this.#failures++
      this.#lastFailure = messageOf(error)
      if (this.#addresses.length === 0) throw error
    }
  }

  #take(addresses: readonly FoundAddress[], at: number): void {
    const { staleAfter, now } = this.#options
    this.#addresses = addresses
    this.#answeredAt = at
    clearTimeout(this.#expiry)
    if (staleAfter !== undefined && !this.#closed) {
      this.#expiry = setTimeout(() => this.#expire(staleAfter), Math.max(1, at + staleAfter - now())).unref()
    }
    if (addresses.length > 0) for (const watcher of this.#watchers) watcher.onAnswer(addresses)
  }

  #expire(staleAfter: number): void {
    this.#addresses = []
    const detail = `the last answer about ${this.host} is older than ${staleAfter} ms`
    for (const watcher of this.#watchers) watcher.onExpired(new ProxyProtocolError('dns_error', { detail }))
  }

  #askLater(): void {
    // The next connection or check asks.
    if (this.#closed || this.#answeredAt === undefined) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#ask().catch(() => undefined) // it is counted
    }, this.#options.interval).unref()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
