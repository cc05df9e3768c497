// A client that the lists refuse takes nothing of its rate.

import type { Validator } from 'proxyprotocol/server'
import type { Service } from '../../config/index.ts'
import { AccessList } from './access-list.ts'
import { RateLimit } from './rate-limit.ts'

export class Gate {
  readonly validators: readonly Validator[]
  readonly #access: AccessList | undefined

  constructor({ access, rate, listen }: Pick<Service, 'access' | 'rate' | 'listen'>, now: () => number) {
    this.#access = access && new AccessList(access, listen.transport)
    const limit = rate && new RateLimit(rate, now)
    this.validators = [this.#access, limit].flatMap(each => (each ? [each.validate] : []))
  }

  reload(): AccessList['counts'] | undefined {
    return this.#access?.reload() ? this.#access.counts : undefined
  }
}
