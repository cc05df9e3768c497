// What the services of this process report about connections that ended: log lines, and the latest refusals.

import type { CloseReason, ProxyServer } from 'proxyprotocol/server'
import type { Service } from '../../config/index.ts'
import { isRefusal, LatestRefusals } from '../../figures/index.ts'
import { type AccessEntry, describeAccess, describeFlow } from '../../log/index.ts'
import type { FlowRecord, Relay, RelayRecord } from '../../relay/index.ts'
import { log, type ProgramIo } from '../program.ts'
import { logRejection, watchRejections } from '../rejections.ts'

/** `quiet` keeps failures of the upstream and of this program, which an operator can act on. */
const FAILED_BY_US: readonly CloseReason[] = [
  ...(['connect_refused', 'connect_timeout', 'connect_error', 'dns_error', 'no_upstream'] as const),
  ...(['limit_upstream', 'queue_timeout'] as const),
  ...(['tls_upstream_error', 'upstream_reset', 'handler_error'] as const),
]

export class ConnectionLog {
  readonly refusals: LatestRefusals = new LatestRefusals()
  readonly stop: () => void
  readonly #io: ProgramIo
  readonly #isQuiet: () => boolean
  readonly #services = new WeakMap<ProxyServer, Service>()

  /** @param isQuiet applies to services without a value of their own. */
  constructor(io: ProgramIo, isQuiet: () => boolean) {
    this.#io = io
    this.#isQuiet = isQuiet
    this.stop = watchRejections((server, entry) => {
      const service = this.#services.get(server)
      if (service) this.#rejected(service, entry)
    })
  }

  watch({ server, service }: Relay): void {
    this.#services.set(server, service)
  }

  closed(service: Service, record: RelayRecord): void {
    if (record.reason === 'probe') return
    if (record.sent === undefined) this.#note(service, record)
    if (!this.#quiets(service) || FAILED_BY_US.includes(record.reason))
      log(this.#io, 'closed', describeAccess(record, service.name))
  }

  /** With `replies` each request would be a line. */
  ended(service: Service, record: FlowRecord): void {
    if (service.datagrams?.replies !== undefined) return
    if (!this.#quiets(service) || record.reason === 'connect_refused')
      log(this.#io, 'flow', describeFlow(record, service.name))
  }

  #rejected(service: Service, entry: AccessEntry): void {
    this.#note(service, entry)
    if (!this.#quiets(service)) logRejection(this.#io, entry, service.name)
  }

  #note({ name: service }: Service, { id, peer, source, reason, error }: AccessEntry): void {
    if (!error || !isRefusal(reason)) return
    this.refusals.add({ id, time: Date.now(), service, peer, source, reason, message: error.message })
  }

  #quiets({ log: { quiet = this.#isQuiet() } }: Service): boolean {
    return quiet
  }
}
