// Checks files before use: OpenSSL skips much that it cannot read, and then only clients would notice.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { AddressRole, TlsSettings } from './address/index.ts'
import type { CertificateFiles } from './schema/index.ts'
import { ConfigError } from './text/index.ts'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g

/** By `openssl rehash`. */
const HASHED_NAME = /^[0-9a-f]{8}\.\d+$/

type Certificates = readonly [X509Certificate, ...X509Certificate[]]

export type TlsFiles = Pick<SecureContextOptions, 'minVersion' | 'maxVersion' | 'ciphers'> & {
  readonly cert?: string
  readonly key?: string
  readonly ca?: readonly string[]
  readonly crl?: readonly string[]
}

interface OwnFiles {
  readonly cert: string
  readonly key: string
}

/** A certificate that one side of a service shows. */
export interface OwnCertificate {
  /** `listen` for clients, `upstream` for upstreams. */
  readonly role: AddressRole
  readonly file: string
  /** Milliseconds since 1970, of the certificate in the chain that expires first. */
  readonly expires: number
}

export function readTlsFiles(settings: TlsSettings, role: AddressRole): TlsFiles {
  const { minVersion } = settings
  const { cert, key } = settings
  const own = cert === undefined ? {} : readOwn({ cert, key }, role)
  const files = { minVersion, ...own, ...readAuthorities(settings, role) }
  attempt(`${role} TLS`, () => createSecureContext(contextOptions(files)))
  return files
}

export function contextOptions({ ca, crl, ...files }: TlsFiles): SecureContextOptions {
  return { ...files, ...(ca && { ca: [...ca] }), ...(crl && { crl: [...crl] }) }
}

export function ownCertificates(
  { cert: file }: Pick<TlsSettings, 'cert'>,
  { cert: text }: TlsFiles,
  role: AddressRole,
): readonly OwnCertificate[] {
  if (file === undefined || text === undefined) return []
  return [{ role, file, expires: expiry(text, named(role, 'cert', file)) }]
}

/** Of the certificate in the chain that expires first. */
export function expiry(text: string, name: string): number {
  return Math.min(...certificatesIn(text, name).map(({ validTo }) => Date.parse(validTo)))
}

export function readOwn({ cert, key }: CertificateFiles, role: AddressRole): OwnFiles {
  const certName = named(role, 'cert', cert)
  const certText = readText(certName, cert)
  const [own] = certificatesIn(certText, certName)
  const keyName = key === undefined ? certName : named(role, 'key', key)
  const keyText = key === undefined ? certText : readText(keyName, key)
  const privateKey = attempt(`${keyName}: its key`, () => createPrivateKey(keyText))
  if (!own.checkPrivateKey(privateKey)) {
    throw new ConfigError(`${keyName}: its key is not that of the certificate in ${JSON.stringify(cert)}`)
  }
  return { cert: certText, key: keyText }
}

export function readAuthorities(settings: TlsSettings, role: AddressRole): Pick<TlsFiles, 'ca'> {
  const { cafile, capath, cadata } = settings
  const ca: string[] = []
  if (cafile !== undefined) ca.push(checked(named(role, 'cafile', cafile), cafile))
  if (capath !== undefined) ca.push(...readDirectory(named(role, 'capath', capath), capath))
  if (cadata !== undefined) {
    certificatesIn(cadata, `${role} TLS: "cadata"`)
    ca.push(cadata)
  }
  return ca.length === 0 ? {} : { ca }
}

function checked(name: string, file: string): string {
  const text = readText(name, file)
  certificatesIn(text, name)
  return text
}

/** OpenSSL finds a certificate in a directory by name only. */
function readDirectory(name: string, directory: string): readonly string[] {
  const entries = attempt(name, () => readdirSync(directory)).filter(entry => HASHED_NAME.test(entry))
  if (entries.length > 0) return entries.map(entry => checked(`${name}: ${entry}`, join(directory, entry)))
  throw new ConfigError(`${name}: no certificate in it has a name of the kind that "openssl rehash" gives`)
}

export function certificatesIn(text: string, name: string): Certificates {
  const blocks = text.match(CERTIFICATE)
  if (blocks === null) throw new ConfigError(`${name}: it has no certificate in PEM`)
  return blocks.map(block => attempt(name, () => new X509Certificate(block))) as unknown as Certificates // match() found one
}

export function readText(name: string, file: string): string {
  return attempt(name, () => readFileSync(file, 'utf8'))
}

export function named(role: AddressRole, setting: string, file: string): string {
  return `${role} TLS: "${setting}" ${JSON.stringify(file)}`
}

/** Node and OpenSSL name the fault, but not the file. */
export function attempt<Result>(name: string, act: () => Result): Result {
  try {
    return act()
  } catch (cause) {
    throw new ConfigError(`${name}: ${(cause as Error).message}`, { cause }) // both throw Error objects only
  }
}
