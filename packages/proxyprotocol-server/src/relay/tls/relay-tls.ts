import { isDeepStrictEqual } from 'node:util'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { ProxyProtocolError } from 'proxyprotocol'
import type { ProxyServer } from 'proxyprotocol/server'
import {
  contextOptions,
  filledTls,
  listenCertificates,
  type ListenFiles,
  type ListenTls,
  type OwnCertificate,
  readListenFiles,
  readTlsFiles,
  type Service,
  settleTls,
  type TlsSettings,
} from '../../config/index.ts'
import type { UpstreamTls } from '../upstreams/index.ts'
import { CertificateChoice } from './certificate-choice.ts'
import { ticketKey } from './ticket-key.ts'

export function serverTls(settings: TlsSettings): TlsOptions {
  const settled = settleTls(settings, 'listen')
  return { ...contextOptions(readTlsFiles(settled, 'listen')), ...handshakeOptions(settled) }
}

interface Loaded {
  readonly files: ListenFiles
  readonly choice: CertificateChoice
}

type TlsService = Pick<Service, 'name' | 'listen' | 'tls'>

export class RelayTls {
  readonly #service: TlsService
  readonly #secret: () => Uint8Array
  readonly #settings: TlsSettings | undefined
  readonly #listen: ListenTls | undefined
  readonly #upstreams: readonly UpstreamTls[]
  #loaded: Loaded | undefined
  #certificates: readonly OwnCertificate[]

  constructor(service: TlsService, upstreams: readonly UpstreamTls[], secret: () => Uint8Array) {
    const { listen, tls } = service
    this.#service = service
    this.#secret = secret
    this.#settings = listen.tls && filledTls(listen.tls, 'listen')
    this.#listen = tls
    this.#upstreams = upstreams
    this.#loaded = this.#load(this.#read())
    this.#certificates = this.#own()
  }

  /** True if a look at the ClientHello comes before the handshake. */
  get looksFirst(): boolean {
    if (this.#settings === undefined || this.#listen === undefined) return false
    const { certificates, directory, unknownNames, routes } = this.#listen
    if (certificates.length > 0 || directory !== undefined || unknownNames === 'reject') return true
    return routes.some(route => route.passthrough)
  }

  /** The options of the server, if the handshake follows at once. */
  get serverOptions(): TlsOptions | undefined {
    return this.looksFirst ? undefined : this.#loaded?.choice.byDefault
  }

  get certificates(): readonly OwnCertificate[] {
    return this.#certificates
  }

  /** The options for a server name; undefined if no certificate has it and unknown names are refused. */
  optionsFor(serverName: string | undefined): TlsOptions | undefined {
    const byDefault = this.#listen?.unknownNames === 'reject' ? undefined : this.#loaded?.choice.byDefault
    return this.#loaded?.choice.find(serverName) ?? byDefault
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
    const isSame = isDeepStrictEqual(files, this.#loaded?.files)
    if (!isSame) this.#use(files, server)
    for (const renew of renewals) renew()
    this.#certificates = this.#own()
    return !isSame || renewals.length > 0
  }

  renewTicketKeys(server: Pick<ProxyServer, 'setSecureContext'>): void {
    this.#use(this.#loaded?.files, server)
  }

  #use(files: ListenFiles | undefined, server: Pick<ProxyServer, 'setSecureContext'>): void {
    this.#loaded = this.#load(files)
    const options = this.serverOptions
    if (options) server.setSecureContext(options)
  }

  #own(): readonly OwnCertificate[] {
    const listen = this.#loaded ? listenCertificates(this.#loaded.files) : []
    const upstream = this.#upstreams.flatMap(({ certificates }) => certificates)
    return [...listen, ...new Map(upstream.map(each => [each.file, each])).values()]
  }

  #read(): ListenFiles | undefined {
    return this.#settings && readListenFiles(this.#settings, this.#listen)
  }

  #load(files: ListenFiles | undefined): Loaded | undefined {
    const settings = this.#settings
    if (settings === undefined || files === undefined) return undefined
    const ticketKeys = ticketKey(this.#secret(), { service: this.#service, settings, files })
    const handshake = { ...handshakeOptions(settings), ticketKeys }
    return { files, choice: new CertificateChoice(files, handshake) }
  }
}

function handshakeOptions({ verify, alpn }: TlsSettings): TlsOptions {
  return {
    requestCert: verify !== 'CERT_NONE',
    rejectUnauthorized: verify === 'CERT_REQUIRED',
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
  }
}
