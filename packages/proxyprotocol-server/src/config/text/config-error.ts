/**
 * An option or file that cannot be used; `message` quotes it, names the fault and shows a right one.
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
