// Certificates that are renewed under a running program: read anew on SIGHUP, and when something happens in a directory that
// they are in. Not the files are watched but their directories: an editor exchanges a file, Kubernetes a link beside it.

import { watch, type FSWatcher } from 'node:fs'
import { dirname } from 'node:path'
import { formatPlace, type ConfigError, type Service, type TlsSettings } from '../config/index.ts'
import type { Relay } from '../relay/index.ts'
import { log, type ProgramIo } from './program.ts'

/** Milliseconds from the first sign of a change: certificate and key are written one after the other. */
const SETTLING_TIME = 500

export class CertificateWatch {
  readonly #io: ProgramIo
  readonly #relays: () => readonly Relay[]
  #watchers: readonly FSWatcher[] = []
  #timer: NodeJS.Timeout | undefined

  /** @param relays those there are by the time of each look. */
  constructor(io: ProgramIo, relays: () => readonly Relay[]) {
    this.#io = io
    this.#relays = relays
  }

  /** Watches the directories of the relays that there are now, and no others. */
  watch(): void {
    this.#unwatch()
    this.#watchers = directoriesOf(this.#relays().map(({ service }) => service)).flatMap(directory =>
      watchDirectory(this.#io, directory, () => {
        this.#timer ??= setTimeout(() => {
          this.renew()
        }, SETTLING_TIME).unref()
      }),
    )
  }

  /** Reads the certificates of all relays anew. */
  renew(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const relay of this.#relays()) renewCertificates(this.#io, relay)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#unwatch()
  }

  #unwatch(): void {
    for (const watcher of this.#watchers) watcher.close()
  }
}

/** Takes what is there now, or says why it stays with what it has. */
function renewCertificates(io: ProgramIo, relay: Relay): void {
  const { name, listen } = relay.service
  try {
    if (relay.reloadCertificates())
      log(io, 'renewed', [
        ['service', name],
        ['address', formatPlace(listen)],
      ])
  } catch (error) {
    const { message } = error as ConfigError // it throws nothing else
    log(io, 'not-renewed', [
      ['service', name],
      ['error', message],
    ])
  }
}

function watchDirectory(io: ProgramIo, directory: string, onChange: () => void): readonly FSWatcher[] {
  function onError(error: unknown): void {
    log(io, 'not-watched', [
      ['directory', directory],
      ['error', String(error)],
    ])
  }
  try {
    return [watch(directory, { persistent: false }, onChange).on('error', onError)]
  } catch (error) {
    onError(error)
    return []
  }
}

function directoriesOf(services: readonly Service[]): readonly string[] {
  const all = services.flatMap(({ listen, pool, passthrough }) => {
    const upstreams = [pool, ...(passthrough?.routes ?? []).map(route => route.pool)].flatMap(
      each => each.upstreams,
    )
    return [listen, ...upstreams.map(({ address }) => address)].flatMap(({ tls }) => placesOf(tls))
  })
  return [...new Set(all)]
}

function placesOf(tls: TlsSettings | undefined): readonly string[] {
  if (tls === undefined) return []
  const files = [tls.cert, tls.key, tls.cafile].flatMap(file => (file === undefined ? [] : [dirname(file)]))
  return tls.capath === undefined ? files : [...files, tls.capath]
}
