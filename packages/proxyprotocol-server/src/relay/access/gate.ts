// A client that the lists refuse takes nothing of its rate.

import type { Validator } from 'proxyprotocol/server'
import type { Service } from '../../config/index.ts'
import type { ServiceFigures } from '../../figures/index.ts'
import { AccessList } from './access-list.ts'
import { RateLimit } from './rate-limit.ts'

/** What the lists and the rate of a service have decided; undefined without them. */
export type GateFigures = Pick<ServiceFigures, 'access' | 'rate'>

export class Gate {
  readonly validators: readonly Validator[]
  readonly #access: AccessList | undefined
  readonly #rate: RateLimit | undefined

  constructor({ access, rate, listen }: Pick<Service, 'access' | 'rate' | 'listen'>, now: () => number) {
    this.#access = access && new AccessList(access, listen.transport)
    this.#rate = rate && new RateLimit(rate, now)
    this.validators = [this.#access, this.#rate].flatMap(each => (each ? [each.validate] : []))
  }

  figures(): GateFigures {
    return { access: this.#access?.figures(), rate: this.#rate?.figures() }
  }

  reload(): AccessList['counts'] | undefined {
    return this.#access?.reload() ? this.#access.counts : undefined
  }
}
