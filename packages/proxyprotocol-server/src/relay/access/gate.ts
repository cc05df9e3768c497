// What a connection must pass before it is served: the lists of clients, then their rate. In this order a client that the
// lists refuse takes nothing of its rate.

import type { Validator } from 'proxyprotocol/server'
import type { Service } from '../../config/index.ts'
import { AccessList } from './access-list.ts'
import { RateLimit } from './rate-limit.ts'

export class Gate {
  /** In the order in which they are asked. */
  readonly validators: readonly Validator[]
  readonly #access: AccessList | undefined

  /** @throws {ConfigError} naming the files of networks that cannot be used, and why. */
  constructor({ access, rate, listen }: Pick<Service, 'access' | 'rate' | 'listen'>, now: () => number) {
    this.#access = access && new AccessList(access, listen.transport)
    const limit = rate && new RateLimit(rate, now)
    this.validators = [this.#access, limit].flatMap(each => (each ? [each.validate] : []))
  }

  /**
   * Reads the files of networks again, for connections to come.
   *
   * @returns how many there are by now where any has changed.
   * @throws {ConfigError} naming the files that cannot be used, and why; everything stays as it is then.
   */
  reload(): AccessList['counts'] | undefined {
    return this.#access?.reload() ? this.#access.counts : undefined
  }
}
