// Datagrams that the kernel dropped because the socket's buffer was full: the last column of /proc/net/udp.

import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { parseAddress } from 'proxyprotocol'

/** With many sockets the file has megabytes. */
const INTERVAL = 5_000

export class KernelDrops {
  readonly #folder: string
  #drops: number | undefined
  #readAt = -Infinity
  /** Settled when the last reading is over. */
  reading: Promise<void> = Promise.resolve()

  constructor(folder = '/proc/net') {
    this.#folder = folder
  }

  /** As of the last reading; another one starts every five seconds. */
  view(address: AddressInfo, now: number): number | undefined {
    if (now - this.#readAt >= INTERVAL) {
      this.#readAt = now
      this.reading = this.#read(address)
    }
    return this.#drops
  }

  async #read({ address, port }: AddressInfo): Promise<void> {
    const isV6 = address.includes(':')
    try {
      const text = await readFile(`${this.#folder}/${isV6 ? 'udp6' : 'udp'}`, 'latin1')
      const place = `${hexOf(address)}:${port.toString(16).padStart(4, '0').toUpperCase()}`
      const line = text.split('\n').find(each => each.trim().split(/\s+/)[1] === place)
      this.#drops = line === undefined ? undefined : Number(line.trim().split(/\s+/).at(-1))
    } catch {
      this.#drops = undefined // not Linux
    }
  }
}

/** Words of four bytes in the byte order of the machine; Node runs on little-endian ones. */
function hexOf(address: string): string {
  const bytes = parseAddress(address.replace(/%.*$/, '')) as Uint8Array // sockets give addresses
  const words = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.slice(at * 4, at * 4 + 4).reverse())
  return Buffer.concat(words).toString('hex').toUpperCase()
}
