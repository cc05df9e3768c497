// Calls a server's methods as they are without attach().

import type { Server } from 'node:net'

export type Method = (...args: unknown[]) => unknown

/** The server's own method from before, or its class's at each call, because others may patch that late. */
export function unattached(server: Server, name: string): () => Method {
  const own = Object.getOwnPropertyDescriptor(server, name)?.value as Method | undefined
  return () => own ?? (Reflect.get(Object.getPrototypeOf(server) as object, name) as Method)
}
