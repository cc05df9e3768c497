// TLS towards upstreams, each with its own settings and files, which can be reloaded while connections continue.

import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import type { ConnectOptions } from 'proxyprotocol/client'
import {
  contextOptions,
  ownCertificates,
  readTlsFiles,
  settleTls,
  type OwnCertificate,
  type TlsFiles,
  type TlsSettings,
  type UpstreamSettings,
} from '../../config/index.ts'

interface Secured {
  readonly settings: TlsSettings
  readonly files: TlsFiles
  readonly context: SecureContext
  readonly certificates: readonly OwnCertificate[]
}

type SecuredUpstreams = ReadonlyMap<UpstreamSettings, Secured>

export class UpstreamTls {
  readonly #upstreams: readonly UpstreamSettings[]
  #secured: SecuredUpstreams

  constructor(upstreams: readonly UpstreamSettings[]) {
    this.#upstreams = upstreams
    this.#secured = this.#read()
  }

  /** Client and upstream must agree on the same protocol. */
  optionsFor(upstream: UpstreamSettings, client?: TLSSocket): ConnectOptions['tls'] {
    const secured = this.#secured.get(upstream)
    if (secured === undefined) return undefined
    const { verify, servername, alpn } = secured.settings
    const agreed = client?.alpnProtocol ?? false // false for none, null before the handshake
    const offered = agreed === false ? alpn : [agreed]
    return {
      secureContext: secured.context,
      rejectUnauthorized: verify === 'CERT_REQUIRED',
      servername,
      ...(offered.length === 0 ? {} : { ALPNProtocols: [...offered] }),
    }
  }

  get certificates(): readonly OwnCertificate[] {
    return [...this.#secured.values()].flatMap(({ certificates }) => certificates)
  }

  renewal(): (() => void) | undefined {
    const secured = this.#read()
    if (isDeepStrictEqual(filesOf(secured), filesOf(this.#secured))) return undefined
    return () => {
      this.#secured = secured
    }
  }

  #read(): SecuredUpstreams {
    return new Map(
      this.#upstreams.flatMap(upstream => {
        const { tls } = upstream.address
        return tls ? [[upstream, secure(tls)] as const] : []
      }),
    )
  }
}

function secure(tls: TlsSettings): Secured {
  const settings = settleTls(tls, 'upstream')
  const files = readTlsFiles(settings, 'upstream')
  const context = createSecureContext(contextOptions(files))
  return { settings, files, context, certificates: ownCertificates(settings, files, 'upstream') }
}

function filesOf(secured: SecuredUpstreams): readonly TlsFiles[] {
  return [...secured.values()].map(({ files }) => files)
}
