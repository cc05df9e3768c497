// A global symbol marks sockets and servers for all copies of this library in the process (import, require,
// dependencies).

/**
 * On a socket: its `ConnectionInfo`, a property because http2 wraps sockets in proxies, which no map would know. On a
 * server: true.
 */
export const connectionsKey: unique symbol = Symbol.for('proxyprotocol.connections.1')

interface Claimed {
  [connectionsKey]?: true
}

/** Marks a server whose headers are read already, or must not be read. */
export function claim(server: object): void {
  ;(server as Claimed)[connectionsKey] = true // only this library knows the key
}

export function isClaimed(server: object): boolean {
  return (server as Claimed)[connectionsKey] === true // only this library knows the key
}
