import { isDeepStrictEqual } from 'node:util'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { ProxyProtocolError } from 'proxyprotocol'
import type { ProxyServer } from 'proxyprotocol/server'
import {
  contextOptions,
  ownCertificates,
  readTlsFiles,
  settleTls,
  type Address,
  type OwnCertificate,
  type TlsFiles,
  type TlsSettings,
} from '../../config/index.ts'
import type { UpstreamTls } from '../upstreams/index.ts'

export function serverTls(settings: TlsSettings): TlsOptions {
  const settled = settleTls(settings, 'listen')
  return serverOptions(settled, readTlsFiles(settled, 'listen'))
}

export class RelayTls {
  readonly #settings: TlsSettings | undefined
  readonly #upstreams: readonly UpstreamTls[]
  #files: TlsFiles | undefined
  #certificates: readonly OwnCertificate[]

  constructor({ tls }: Pick<Address, 'tls'>, upstreams: readonly UpstreamTls[]) {
    this.#settings = tls && settleTls(tls, 'listen')
    this.#upstreams = upstreams
    this.#files = this.#read()
    this.#certificates = this.#own()
  }

  get server(): TlsOptions | undefined {
    return this.#settings && this.#files && serverOptions(this.#settings, this.#files)
  }

  get certificates(): readonly OwnCertificate[] {
    return this.#certificates
  }

  /** Node accepts an invalid client certificate if certificates are optional. */
  checkClient(downstream: TLSSocket | undefined): void {
    if (this.#settings?.verify !== 'CERT_OPTIONAL' || downstream === undefined || downstream.authorized)
      return
    if (downstream.getPeerX509Certificate() === undefined) return
    throw new ProxyProtocolError('tls_client_error', { detail: String(downstream.authorizationError) })
  }

  /** @throws {ConfigError} if a file cannot be used; nothing changes then. */
  reload(server: Pick<ProxyServer, 'setSecureContext'>): boolean {
    const files = this.#read()
    const renewals = this.#upstreams.flatMap(each => each.renewal() ?? [])
    const isSame = isDeepStrictEqual(files, this.#files)
    if (files && !isSame) server.setSecureContext(contextOptions(files))
    this.#files = files
    for (const renew of renewals) renew()
    this.#certificates = this.#own()
    return !isSame || renewals.length > 0
  }

  #own(): readonly OwnCertificate[] {
    const listen = this.#settings && this.#files ? ownCertificates(this.#settings, this.#files, 'listen') : []
    const upstream = this.#upstreams.flatMap(({ certificates }) => certificates)
    return [...listen, ...new Map(upstream.map(each => [each.file, each])).values()]
  }

  #read(): TlsFiles | undefined {
    return this.#settings && readTlsFiles(this.#settings, 'listen')
  }
}

function serverOptions({ verify, alpn }: TlsSettings, files: TlsFiles): TlsOptions {
  return {
    ...contextOptions(files),
    requestCert: verify !== 'CERT_NONE',
    rejectUnauthorized: verify === 'CERT_REQUIRED',
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
  }
}
