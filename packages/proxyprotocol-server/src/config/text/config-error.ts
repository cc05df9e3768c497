// A fault in what a user wrote has its own class, so that a program can show its message alone, and a stack for its own faults only.

/**
 * What the user of a program wrote in an option or a file cannot be used; `message` quotes it, says what is wrong
 * and shows a right one.
 *
 * @example
 * ```ts run
 * import { ConfigError, parseAddress } from 'proxyprotocol-server'
 *
 * try {
 *   parseAddress('192.0.2.1', { role: 'upstream' })
 * } catch (error) {
 *   if (error instanceof ConfigError) console.error(error.message)
 * }
 * ```
 */
export class ConfigError extends Error {
  override readonly name: string = 'ConfigError'
}
