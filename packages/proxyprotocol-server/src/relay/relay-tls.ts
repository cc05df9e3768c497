// TLS on both sides of one relay: what Node is told, from settings and from files that can be read anew while connections go on.

import { isDeepStrictEqual } from 'node:util'
import { createSecureContext, type SecureContext, type TLSSocket, type TlsOptions } from 'node:tls'
import { ProxyProtocolError } from 'proxyprotocol'
import type { ConnectOptions } from 'proxyprotocol/client'
import type { ProxyServer } from 'proxyprotocol/server'
import { settleTls, type Service, type TlsSettings } from '../config/index.ts'
import { contextOptions, readTlsFiles, type TlsFiles } from './tls-files.ts'

/** The files of both sides as they are in use. */
interface Files {
  readonly listen: TlsFiles | undefined
  readonly upstream: TlsFiles | undefined
}

/** What a server is told to end TLS, from files that it reads. */
export function serverTls(settings: TlsSettings): TlsOptions {
  const settled = settleTls(settings, 'listen')
  return serverOptions(settled, readTlsFiles(settled, 'listen'))
}

/** The TLS of one relay. */
export class RelayTls {
  readonly #listen: TlsSettings | undefined
  readonly #upstream: TlsSettings | undefined
  #files: Files
  #upstreamContext: SecureContext | undefined

  /** @throws {ConfigError} when settings or files cannot be used. */
  constructor({ listen, upstream }: Pick<Service, 'listen' | 'upstream'>) {
    this.#listen = listen.tls && settleTls(listen.tls, 'listen')
    this.#upstream = upstream.tls && settleTls(upstream.tls, 'upstream')
    this.#files = this.#read()
    this.#upstreamContext = contextOf(this.#files.upstream)
  }

  /** For `createServer`; undefined where the clients speak no TLS. */
  get server(): TlsOptions | undefined {
    const { listen } = this.#files
    return this.#listen && listen && serverOptions(this.#listen, listen)
  }

  /**
   * For `connect`; undefined where the upstream speaks no TLS. What was agreed on with the client is all that is offered to
   * the upstream: both have to speak the same.
   */
  upstreamFor(downstream: TLSSocket | undefined): ConnectOptions['tls'] {
    if (this.#upstream === undefined || this.#upstreamContext === undefined) return undefined
    const { verify, servername, alpn } = this.#upstream
    const agreed = downstream?.alpnProtocol ?? false // false where there is none, null before there could be
    const offered = agreed === false ? alpn : [agreed]
    return {
      secureContext: this.#upstreamContext,
      rejectUnauthorized: verify === 'CERT_REQUIRED',
      servername,
      ...(offered.length === 0 ? {} : { ALPNProtocols: [...offered] }),
    }
  }

  /**
   * Refuses a client certificate that is not good, where clients may have none: Node lets those in.
   *
   * @throws ProxyProtocolError `tls_client_error`.
   */
  checkClient(downstream: TLSSocket | undefined): void {
    if (this.#listen?.verify !== 'CERT_OPTIONAL' || downstream === undefined || downstream.authorized) return
    if (downstream.getPeerX509Certificate() === undefined) return
    throw new ProxyProtocolError('tls_client_error', { detail: String(downstream.authorizationError) })
  }

  /**
   * Reads all files anew, and takes them for the connections to come.
   *
   * @returns whether anything has changed.
   * @throws {ConfigError} when one of them cannot be used; then everything stays as it is.
   */
  reload(server: Pick<ProxyServer, 'setSecureContext'>): boolean {
    const files = this.#read()
    if (isDeepStrictEqual(files, this.#files)) return false
    const upstreamContext = contextOf(files.upstream)
    if (files.listen) server.setSecureContext(contextOptions(files.listen))
    this.#files = files
    this.#upstreamContext = upstreamContext
    return true
  }

  #read(): Files {
    return {
      listen: this.#listen && readTlsFiles(this.#listen, 'listen'),
      upstream: this.#upstream && readTlsFiles(this.#upstream, 'upstream'),
    }
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

function contextOf(files: TlsFiles | undefined): SecureContext | undefined {
  return files && createSecureContext(contextOptions(files))
}
