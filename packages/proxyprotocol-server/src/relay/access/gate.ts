// A client that the lists refuse takes nothing of its rate.

import type { ProxyProtocolError } from 'proxyprotocol'
import type { Validator } from 'proxyprotocol/server'
import type { Service } from '../../config/index.ts'
import type { ServiceFigures } from '../../figures/index.ts'
import { AccessList, type ClientFacts } from './access-list.ts'
import { RateLimit } from './rate-limit.ts'

/** What the lists and the rate of a service have decided; undefined without them. */
export type GateFigures = Pick<ServiceFigures, 'access' | 'rate'>

export class Gate {
  readonly #judges: readonly ((client: ClientFacts) => ProxyProtocolError | undefined)[]
  readonly #access: AccessList | undefined
  readonly #rate: RateLimit | undefined

  constructor({ access, rate, listen }: Pick<Service, 'access' | 'rate' | 'listen'>, now: () => number) {
    this.#access = access && new AccessList(access, listen.transport === 'unix' ? 'unix' : 'tcp')
    this.#rate = rate && new RateLimit(rate, now)
    this.#judges = [this.#access, this.#rate].flatMap(each => (each ? [each.validate] : []))
  }

  get validators(): readonly Validator[] {
    return this.#judges
  }

  figures(): GateFigures {
    return { access: this.#access?.figures(), rate: this.#rate?.figures() }
  }

  /** Why a client of datagrams gets no flow. */
  fault(client: ClientFacts): ProxyProtocolError | undefined {
    for (const judge of this.#judges) {
      const fault = judge(client)
      if (fault) return fault
    }
    return undefined
  }

  reload(): AccessList['counts'] | undefined {
    return this.#access?.reload() ? this.#access.counts : undefined
  }
}
