// A client is judged before TLS, so one that is refused costs little.

import { isDeepStrictEqual } from 'node:util'
import { type Endpoint, ProxyProtocolError } from 'proxyprotocol'
import type { ConnectionInfo } from 'proxyprotocol/server'
import { type AccessLists, type AccessRules, type Networks, readAccessLists } from '../../config/index.ts'
import type { AccessFigures } from '../../figures/index.ts'

/** What the lists look at. */
export type ClientFacts = Pick<ConnectionInfo, 'header' | 'source' | 'via' | 'tlvs'>

type Place = Parameters<Networks['holds']>[0]

/** The number of networks in the lists. */
export interface AccessCounts {
  readonly allow: number | undefined
  readonly deny: number
}

export class AccessList {
  readonly #rules: AccessRules
  readonly #transport: Place['transport']
  #lists: AccessLists
  #allowed = 0
  #denied = 0

  constructor(rules: AccessRules, transport: Place['transport']) {
    this.#rules = rules
    this.#transport = transport
    this.#lists = readAccessLists(rules)
  }

  get counts(): AccessCounts {
    const { allow, deny } = this.#lists
    return { allow: allow?.entries.length, deny: deny.entries.length }
  }

  reload(): boolean {
    const before = this.#lists
    this.#lists = readAccessLists(this.#rules)
    return !isDeepStrictEqual(entriesOf(before), entriesOf(this.#lists))
  }

  figures(): AccessFigures {
    return { ...this.counts, allowed: this.#allowed, denied: this.#denied }
  }

  readonly validate = (info: ClientFacts): ProxyProtocolError | undefined => {
    const refusal = this.#judge(info)
    if (refusal) this.#denied++
    else this.#allowed++
    return refusal
  }

  #judge(info: ClientFacts): ProxyProtocolError | undefined {
    const { from, vpce } = this.#rules
    const isLocal = info.header?.command === 'LOCAL'
    if (isLocal && from === 'client') return undefined // LOCAL names no client: the proxy in front itself asks
    const { allow, deny } = this.#lists
    const place = this.#placeOf(info)
    if (deny.holds(place)) return denied('deny', place.address)
    if (allow?.holds(place) === false) return denied('allow', place.address)
    if (vpce === undefined || isLocal) return undefined
    const { aws } = info.tlvs
    if (aws && vpce.includes(aws.vpcEndpointId)) return undefined
    return denied('allowVpce', aws?.vpcEndpointId)
  }

  #placeOf({ header, source, via }: ClientFacts): Place {
    if (this.#rules.from === 'peer') return this.#place(via.peer)
    // UNSPEC: the address would be the proxy's own, which no list is about.
    const isUnknown = header?.command === 'PROXY' && header.family === 'UNSPEC'
    return isUnknown ? { address: undefined, transport: 'tcp' } : this.#place(source)
  }

  #place(endpoint: Endpoint | undefined): Place {
    if (endpoint === undefined) return { address: undefined, transport: this.#transport }
    if ('path' in endpoint) return { address: undefined, transport: 'unix' }
    return { address: endpoint.address, transport: 'tcp' }
  }
}

function entriesOf({ allow, deny }: AccessLists): readonly unknown[] {
  return [allow?.entries, deny.entries]
}

function denied(list: string, who = 'a client without an address'): ProxyProtocolError {
  return new ProxyProtocolError('denied_acl', { detail: `${who}, by ${list}` })
}
