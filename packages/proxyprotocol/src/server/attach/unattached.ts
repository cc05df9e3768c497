// What a server does without attach().

import type { Server } from 'node:net'

export type Method = (...args: unknown[]) => unknown

/** A server's method without ours: its own from before, or else its class's at each call, which others may patch late. */
export function unattached(server: Server, name: string): () => Method {
  const own = Object.getOwnPropertyDescriptor(server, name)?.value as Method | undefined
  return () => own ?? (Reflect.get(Object.getPrototypeOf(server) as object, name) as Method)
}
