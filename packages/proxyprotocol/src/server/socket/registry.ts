// What all copies of this library in a process share, whether they were loaded by import, by require or by another package.
// A property under one global symbol says which connections and servers are known.

/**
 * On a socket it holds its `ConnectionInfo`: http2 shows requests a proxy of their socket, which no map would know. On a
 * server it says that a copy of this library reads the headers.
 */
export const connectionsKey: unique symbol = Symbol.for('proxyprotocol.connections.1')

interface Claimed {
  [connectionsKey]?: true
}

/** Says that headers of this server are read already, or that none may be. */
export function claim(server: object): void {
  ;(server as Claimed)[connectionsKey] = true // only this library knows the key
}

export function isClaimed(server: object): boolean {
  return (server as Claimed)[connectionsKey] === true // only this library knows the key
}
