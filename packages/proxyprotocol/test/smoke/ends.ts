// What a smoke case opens is closed at its end, without a test runner to do it.

import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { encodeHeader, type HeaderInit } from 'proxyprotocol'

export interface Ends {
  /** Runs something at the end of the case. */
  readonly defer: (end: () => unknown) => void
  /** A client that has sent the header, where there is one. */
  readonly dial: (where: AddressInfo, header?: HeaderInit, allowHalfOpen?: boolean) => Promise<Socket>
}

/** Runs a case, and closes what it has opened, however it went. */
export async function ends(run: (ends: Ends) => Promise<void>): Promise<void> {
  const all: (() => unknown)[] = []
  const defer = (end: () => unknown): void => void all.unshift(end)
  try {
    await run({
      defer,
      dial: async ({ port, address: host }, header, allowHalfOpen = false) => {
        const socket = connect({ host, port, noDelay: true, allowHalfOpen })
        defer(() => socket.destroy())
        socket.on('error', () => {})
        await once(socket, 'connect')
        if (header) socket.write(encodeHeader(header))
        return socket
      },
    })
  } finally {
    for (const end of all) await end()
  }
}
