// Which clients may have another flow, by lists of networks and the rate of new flows.

import { readTlvs, type InetEndpoint } from 'proxyprotocol'
import { compileNetworks } from 'proxyprotocol/server'
import type { DropReason } from 'proxyprotocol/udp'
import type { Service } from '../../config/index.ts'
import { type AccessCounts, Gate } from '../access/index.ts'
import type { Announced } from './headers/index.ts'

const noTlvs = readTlvs({ tlvs: [] })

export class Admission {
  readonly #gate: Gate
  readonly #isExempt: ReturnType<typeof compileNetworks>

  constructor(service: Pick<Service, 'access' | 'rate' | 'listen'>, now: () => number) {
    this.#gate = new Gate(service, now)
    this.#isExempt = compileNetworks(service.rate?.exempt ?? [])
  }

  reload(): AccessCounts | undefined {
    return this.#gate.reload()
  }

  figures(): ReturnType<Gate['figures']> {
    return this.#gate.figures()
  }

  fault(peer: InetEndpoint, { source, header }: Announced): DropReason | undefined {
    const via = { peer, local: undefined }
    const fault = this.#gate.fault({ header, source, via, tlvs: noTlvs })
    return fault?.code as 'denied_acl' | 'limit_rate' | undefined // the gate has no others
  }

  /** True if it may have any number of flows. */
  isExempt({ source: { address } }: Announced): boolean {
    return this.#isExempt({ address, transport: 'udp' })
  }
}
