// Reloads certificates and lists of networks on SIGHUP, and when a file changes.

import { setImmediate as turn } from 'node:timers/promises'
import {
  branchesOf,
  type ConfigError,
  formatEndpoint,
  type ListenTls,
  networkFile,
  type Service,
  type TlsSettings,
} from '../../config/index.ts'
import type { ServiceRelay } from '../../relay/index.ts'
import { log, type ProgramIo } from '../program.ts'
import { EntryWatch } from './entry-watch.ts'
import { entriesBelow, pathEntries, type PathEntry } from './path-entries.ts'

export class FileWatch {
  readonly #io: ProgramIo
  readonly #relays: () => readonly ServiceRelay[]
  readonly #entries: EntryWatch
  #round = 0

  constructor(io: ProgramIo, relays: () => readonly ServiceRelay[]) {
    this.#io = io
    this.#relays = relays
    this.#entries = new EntryWatch(io, () => void this.renew())
  }

  watch(): void {
    this.#entries.watch(this.#relays().flatMap(({ service }) => entriesOf(service)))
  }

  /** A later call takes the place of one that is not done. Never rejects. */
  async renew(): Promise<void> {
    this.watch()
    const round = ++this.#round
    for (const relay of this.#relays()) {
      renewCertificates(this.#io, relay)
      renewNetworks(this.#io, relay)
      await turn()
      if (round !== this.#round) return
    }
  }

  stop(): void {
    this.#round++
    this.#entries.stop()
  }
}

function renewCertificates(io: ProgramIo, relay: ServiceRelay): void {
  const { name, listen } = relay.service
  try {
    if (relay.reloadCertificates())
      log(io, 'renewed', [
        ['service', name],
        ['address', formatEndpoint(listen)],
      ])
  } catch (error) {
    const { message } = error as ConfigError // it throws ConfigError only
    log(io, 'not-renewed', [
      ['service', name],
      ['error', message],
    ])
  }
}

function renewNetworks(io: ProgramIo, relay: ServiceRelay): void {
  const { name } = relay.service
  try {
    const counts = relay.reloadNetworks()
    if (counts) log(io, 'networks', [['service', name], ...Object.entries(counts)])
  } catch (error) {
    const { message } = error as ConfigError // it throws ConfigError only
    log(io, 'networks-failed', [
      ['service', name],
      ['error', message],
    ])
  }
}

function entriesOf(service: Service): readonly PathEntry[] {
  const { listen, pool, access, tls } = service
  const lists = [...(access?.allow ?? []), ...(access?.deny ?? [])].map(networkFile)
  const pools = [pool, ...branchesOf(service).map(branch => branch.pool)]
  const upstreams = pools.flatMap(each => each.upstreams)
  return [
    ...[listen, ...upstreams.map(({ address }) => address)].flatMap(({ tls }) =>
      tls ? entriesFor(tls) : [],
    ),
    ...(tls ? listenEntries(tls) : []),
    ...lists.filter(file => file !== undefined).flatMap(pathEntries),
  ]
}

function listenEntries({ certificates, directory, crl }: ListenTls): readonly PathEntry[] {
  const files = [...certificates.flatMap(({ cert, key }) => [cert, key]), ...crl]
  return [
    ...files.filter(file => file !== undefined).flatMap(pathEntries),
    ...(directory === undefined ? [] : entriesBelow(directory)),
  ]
}

function entriesFor({ cert, key, cafile, capath }: TlsSettings): readonly PathEntry[] {
  const files = [cert, key, cafile].filter(file => file !== undefined)
  return [...files.flatMap(pathEntries), ...(capath === undefined ? [] : entriesBelow(capath))]
}
