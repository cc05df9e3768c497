// TLS clients that resume a session.

import { once } from 'node:events'
import type { TestContext } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import { dialSecure } from './secure.ts'

/** The session of a client whose bytes have come back. */
export async function sessionAt(
  t: TestContext,
  port: number,
  options: ConnectionOptions = {},
): Promise<Buffer> {
  const { secure } = dialSecure(t, port, options)
  const session = once(secure, 'session') as Promise<[Buffer]>
  await exchange(secure)
  return (await session)[0]
}

/** Whether the session was resumed; rejects if the client was refused. */
export async function isResumed(
  t: TestContext,
  port: number,
  options: ConnectionOptions & { readonly session: Buffer },
): Promise<boolean> {
  const { secure } = dialSecure(t, port, options)
  await exchange(secure)
  return secure.isSessionReused()
}

/** With TLS 1.3 a server refuses a client only after the client's side of the handshake. */
async function exchange(secure: ReturnType<typeof dialSecure>['secure']): Promise<void> {
  secure.write('hello')
  const refused = once(secure, 'end').then(() => Promise.reject(new Error('the server refused the client')))
  await Promise.race([once(secure, 'data'), refused])
  secure.end()
}
