// Reports errors without a caller: to onError once, otherwise as a process warning.

import { showFault } from '../admission/index.ts'
import type { Connection } from './connection.ts'

/** Called with what a handler threw, or without a connection for an error of the listener. */
export type OnError = (error: unknown, connection: Connection | undefined) => unknown

/** Never rejects: what `onError` throws becomes a warning. */
export async function report(
  onError: OnError | undefined,
  error: unknown,
  connection: Connection | undefined,
): Promise<void> {
  const what = connection === undefined ? 'the listener' : 'a connection'
  const code = connection && 'handler_error'
  if (onError === undefined) return warn(`${what} failed without an onError`, error, code)
  try {
    await onError(error, connection)
  } catch (failure) {
    warn(`${what} failed and so did onError, with ${showFault(failure)}`, error, code)
  }
}

function warn(message: string, error: unknown, code: string | undefined): void {
  process.emitWarning(`${message}: ${showFault(error)}`, { type: 'ProxyProtocolWarning', code })
}
