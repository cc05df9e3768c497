// Counts the open connections of each source, if their number is limited.

import type { Endpoint } from '../../codec/index.ts'
import { compileNetworks, sourceKey } from '../../trust/index.ts'

interface Closing {
  once(event: 'close', listener: () => void): unknown
}

export class SourceCounts {
  readonly #limit: number
  readonly #isExempt: ReturnType<typeof compileNetworks>
  readonly #open = new Map<string, number>()

  constructor(limit: number, exempt: readonly string[] = []) {
    this.#limit = limit
    this.#isExempt = compileNetworks(exempt, 'limits.perSourceExempt')
  }

  /** Of the source that has the most. */
  get most(): number {
    let most = 0
    for (const open of this.#open.values()) if (open > most) most = open
    return most
  }

  /** False above the limit. UNIX sockets are not counted. */
  add(connection: Closing, source: Endpoint | undefined): boolean {
    if (this.#limit === Infinity || source === undefined || 'path' in source) return true
    if (this.#isExempt({ address: source.address, transport: 'tcp' })) return true
    const client = sourceKey(source.address)
    const open = this.#open.get(client) ?? 0
    if (open >= this.#limit) return false
    this.#open.set(client, open + 1)
    connection.once('close', () => this.#remove(client))
    return true
  }

  #remove(client: string): void {
    const open = this.#open.get(client) as number // it counts the connection that has closed
    if (open > 1) this.#open.set(client, open - 1)
    else this.#open.delete(client)
  }
}
