// Watches directories, because an editor replaces a file, Kubernetes a link beside it, and certbot a link elsewhere.

import { readdirSync, realpathSync, watch, type FSWatcher } from 'node:fs'
import { basename, join } from 'node:path'
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
import type { Relay } from '../../relay/index.ts'
import { log, type ProgramIo } from '../program.ts'
import { pathEntries, type PathEntry } from './path-entries.ts'

/** Certificate and key are written one after the other. */
const SETTLING_TIME = 500
/** Stands for every name in a directory; names have no slash. */
const ANY = '/'

export class FileWatch {
  readonly #io: ProgramIo
  readonly #relays: () => readonly Relay[]
  #watchers: readonly FSWatcher[] = []
  #timer: NodeJS.Timeout | undefined
  #round = 0

  constructor(io: ProgramIo, relays: () => readonly Relay[]) {
    this.#io = io
    this.#relays = relays
  }

  watch(): void {
    this.#unwatch()
    const entries = this.#relays().flatMap(({ service }) => entriesOf(service))
    this.#watchers = [...byDirectory(entries)].flatMap(([directory, names]) =>
      watchDirectory(this.#io, directory, name => {
        if (name !== null && !names.has(name) && !names.has(ANY)) return
        this.#timer ??= setTimeout(() => {
          void this.renew()
        }, SETTLING_TIME).unref()
      }),
    )
  }

  /** A later call takes the place of one that is not done. Never rejects. */
  async renew(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
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
    clearTimeout(this.#timer)
    this.#unwatch()
  }

  #unwatch(): void {
    for (const watcher of this.#watchers) watcher.close()
  }
}

function renewCertificates(io: ProgramIo, relay: Relay): void {
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

function renewNetworks(io: ProgramIo, relay: Relay): void {
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

function watchDirectory(
  io: ProgramIo,
  directory: string,
  onChange: (name: string | null) => void,
): readonly FSWatcher[] {
  function onError(error: unknown): void {
    log(io, 'not-watched', [
      ['directory', directory],
      ['error', String(error)],
    ])
  }
  try {
    const watcher = watch(directory, { persistent: false }, (_, name) => {
      onChange(name)
    })
    return [watcher.on('error', onError)]
  } catch (error) {
    onError(error)
    return []
  }
}

/** A directory that is moved or removed reports its own name. */
function byDirectory(entries: readonly PathEntry[]): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>()
  for (const { directory, name } of entries) {
    const others = names.get(directory) ?? new Set([basename(directory)])
    names.set(directory, others.add(name))
  }
  return names
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

/** With the targets of links, as in /etc/ssl/certs. */
function entriesBelow(path: string): readonly PathEntry[] {
  const way = pathEntries(path)
  try {
    const directory = realpathSync(path)
    const files = readdirSync(directory).flatMap(name => pathEntries(join(directory, name)))
    return [...way, { directory, name: ANY }, ...files]
  } catch {
    return way // missing now; the way ends there
  }
}
