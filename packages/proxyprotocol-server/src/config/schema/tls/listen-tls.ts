import { z } from 'zod'
import { type Address, TLS_VERSIONS, type TlsVersion } from '../../address/index.ts'
import { meta } from '../keys.ts'
import { ciphersSchema } from './ciphers.ts'
import { type CheckedRoute, type Route, routeIssues, type RouteInit, routeKeys } from './routes.ts'
import { type UnknownNames, unknownNames } from './unknown-names.ts'

const NO_TLS = 'must stand beside a `listen` with TLS, which starts with "ssl://" or "tls://", got none'
const NO_CERT = 'must have "cert", or stand beside `tls` with `certificates` or `directory`, got neither'
const NO_CLIENTS = 'must stand beside a "verify" other than CERT_NONE in `listen`, got none'

/** The files of one certificate, in PEM. */
export interface CertificateFiles {
  readonly cert: string
  /** Undefined if `cert` has the key too. */
  readonly key: string | undefined
}

/** A route for clients whose TLS ends here, or passes through to its upstreams. */
export interface ListenRoute extends Route {
  readonly passthrough: boolean
}

/** TLS of clients beside what the address says. */
export interface ListenTls {
  readonly certificates: readonly CertificateFiles[]
  /** A directory with a certificate in NAME.crt and its key in NAME.key, or both in NAME.pem. */
  readonly directory: string | undefined
  readonly unknownNames: UnknownNames
  readonly routes: readonly ListenRoute[]
  readonly ciphers: string | undefined
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
  /** Files of revoked client certificates. */
  readonly crl: readonly string[]
}

export interface ListenTlsInit {
  readonly certificates?: readonly { readonly cert: string; readonly key?: string | undefined }[] | undefined
  readonly directory?: string | undefined
  readonly unknownNames?: UnknownNames | undefined
  readonly routes?: readonly (RouteInit & { readonly passthrough?: boolean | undefined })[] | undefined
  readonly ciphers?: string | undefined
  readonly minVersion?: TlsVersion | undefined
  readonly maxVersion?: TlsVersion | undefined
  readonly crl?: readonly string[] | undefined
}

export interface CheckedListenTls extends Omit<ListenTls, 'routes'> {
  readonly routes: readonly (CheckedRoute & { readonly passthrough: boolean })[]
}

const certificateSchema = z
  .strictObject({
    cert: file('a.example.crt').meta(meta({ description: 'The certificate and its chain, in PEM.' })),
    key: file('a.example.key')
      .optional()
      .meta(meta({ description: 'Its key, in PEM.', defaultIs: 'that in `cert`' })),
  })
  .transform(({ cert, key }): CertificateFiles => ({ cert, key }))

const routesSchema = z
  .array(
    z.strictObject({
      ...routeKeys,
      passthrough: z
        .boolean()
        .default(false)
        .meta(
          meta({
            description:
              'Passes TLS through without decryption, as an ACME client with `acme-tls/1` needs. Otherwise the ' +
              'route is chosen after the handshake, by the protocol that was agreed on.',
          }),
        ),
    }),
  )
  .default([])
  .check(({ value, issues }) => {
    for (const { path, message } of routeIssues(value))
      issues.push({ code: 'custom', message, path: [...path], input: value })
  })
  .meta(
    meta({ description: 'Upstreams by server name and protocol; all others go to those of the service.' }),
  )

export const listenTlsSchema: z.ZodType<CheckedListenTls | undefined, ListenTlsInit | undefined> = z
  .strictObject({
    certificates: z
      .array(certificateSchema)
      .default([])
      .meta(
        meta({
          description:
            'More certificates; the server names in them decide. Without `cert` in `listen` the first one ' +
            'serves all other names.',
        }),
      ),
    directory: file('/etc/proxyprotocol/certificates')
      .optional()
      .meta(
        meta({
          description:
            'A directory with more certificates: NAME.crt beside NAME.key, or NAME.pem with both. Changes in ' +
            'it are noticed.',
          defaultIs: 'none',
        }),
      ),
    unknownNames: unknownNames('is in no certificate and no route with `passthrough`'),
    routes: routesSchema,
    ciphers: ciphersSchema,
    minVersion: z
      .enum(TLS_VERSIONS)
      .default('TLSv1.2')
      .meta(
        meta({
          description: 'The oldest version; the newer one of this and `minversion` in `listen` counts.',
        }),
      ),
    maxVersion: z
      .enum(TLS_VERSIONS)
      .default('TLSv1.3')
      .meta(meta({ description: 'The newest version.' })),
    crl: z
      .array(file('revoked.pem'))
      .default([])
      .meta(
        meta({
          description:
            'Files with the lists of revoked client certificates (CRL), in PEM: one of each authority in the chain.',
        }),
      ),
  })
  .transform(tls => ({ ...tls, directory: tls.directory, ciphers: tls.ciphers }))
  .optional()
  .meta(
    meta({
      description: 'TLS that ends here, beside what `listen` says.',
      defaultIs: 'only what `listen` says',
    }),
  )

function file(example: string): z.ZodString {
  return z.string().meta({ examples: [example] })
}

interface Issue {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Faults between `listen` and `tls`. */
export function listenTlsIssues(
  listen: readonly Address[],
  tls: CheckedListenTls | undefined,
): readonly Issue[] {
  const ends = listen.flatMap(each => each.tls ?? [])
  const hasOwn = tls !== undefined && (tls.certificates.length > 0 || tls.directory !== undefined)
  const issues: Issue[] = []
  if (!hasOwn && ends.some(({ cert }) => cert === undefined))
    issues.push({ path: ['listen'], message: NO_CERT })
  if (tls === undefined) return issues
  if (ends.length === 0) return [{ path: ['tls'], message: NO_TLS }]
  if (tls.crl.length > 0 && ends.some(({ verify }) => verify === 'CERT_NONE'))
    issues.push({ path: ['tls', 'crl'], message: NO_CLIENTS })
  const oldest = ends.find(({ minVersion }) => newer(minVersion, tls.minVersion) > tls.maxVersion)
  if (oldest) {
    const message = `must not be older than "minVersion", got ${JSON.stringify(tls.maxVersion)}`
    issues.push({ path: ['tls', 'maxVersion'], message })
  }
  return [...issues, ...protocolIssues(tls, ends)]
}

/** A protocol that the relay does not offer is never agreed on. */
function protocolIssues(
  { routes }: CheckedListenTls,
  ends: readonly { readonly alpn: readonly string[] }[],
): readonly Issue[] {
  return routes.flatMap(({ passthrough, alpn }, at) =>
    alpn.flatMap((protocol, index) => {
      if (passthrough || ends.some(end => end.alpn.includes(protocol))) return []
      const message = `must be in "alpn" of \`listen\`, or its route needs \`passthrough\`, got ${JSON.stringify(protocol)}`
      return [{ path: ['tls', 'routes', at, 'alpn', index], message }]
    }),
  )
}

/** Their names sort by age. */
export function newer(one: TlsVersion, other: TlsVersion): TlsVersion {
  return one > other ? one : other
}
