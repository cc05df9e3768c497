// What all copies of this library in a process share, loaded by import, by require or by another package.

/**
 * Marks sockets with their `ConnectionInfo` and servers with true, for all copies of this library in
 * the process. A property, because http2 wraps sockets in proxies, which no map would know.
 */
export const connectionsKey: unique symbol = Symbol.for('proxyprotocol.connections.1')

interface Claimed {
  [connectionsKey]?: true
}

/** Marks a socket on which TLS was started, likewise. */
export const startedKey: unique symbol = Symbol.for('proxyprotocol.tls.1')

export function claim(server: object): void {
  ;(server as Claimed)[connectionsKey] = true // only this library knows the key
}

export function isClaimed(server: object): boolean {
  return (server as Claimed)[connectionsKey] === true // only this library knows the key
}
