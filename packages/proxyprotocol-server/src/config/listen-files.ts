import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { TlsSettings } from './address/index.ts'
import { type CertificateFiles, type ListenTls, newer } from './schema/index.ts'
import { ConfigError } from './text/index.ts'
import {
  attempt,
  certificatesIn,
  contextOptions,
  expiry,
  named,
  type OwnCertificate,
  readAuthorities,
  readOwn,
  readText,
  type TlsFiles,
} from './tls-files.ts'

const CRL = /-----BEGIN X509 CRL-----[^]*?-----END X509 CRL-----/g

/** One certificate with its chain and key, in PEM. */
export interface KeyPair {
  /** As configured, or in the directory. */
  readonly file: string
  readonly cert: string
  readonly key: string
  /** In lower case; `*.example.org` matches one label. */
  readonly names: readonly string[]
  /** Of its key: `ec`, `rsa`. */
  readonly kind: string | undefined
  readonly expires: number
}

/** The files for clients' TLS. */
export interface ListenFiles {
  /** Without a certificate. */
  readonly common: TlsFiles
  /** The first one serves names that none has. */
  readonly pairs: readonly [KeyPair, ...KeyPair[]]
}

/** @throws {ConfigError} naming a file that cannot be used. */
export function readListenFiles(settings: TlsSettings, tls: ListenTls | undefined): ListenFiles {
  const { cert, key } = settings
  const listed = [...(cert === undefined ? [] : [{ cert, key }]), ...(tls?.certificates ?? [])]
  const [first, ...others] = [...listed, ...directoryPairs(tls?.directory)].map(readPair)
  if (first === undefined)
    throw new ConfigError('listen TLS: "cert" must be the file of the certificate, got nothing')
  const common = { ...readAuthorities(settings, 'listen'), ...rules(settings, tls) }
  for (const pair of [first, ...others]) {
    attempt(named('listen', 'cert', pair.file), () => createSecureContext(pairOptions(common, [pair])))
  }
  return { common, pairs: [first, ...others] }
}

/** The options of a context with these certificates, which have different kinds of keys. */
export function pairOptions(common: TlsFiles, pairs: readonly KeyPair[]): ReturnType<typeof contextOptions> {
  return { ...contextOptions(common), cert: pairs.map(({ cert }) => cert), key: pairs.map(({ key }) => key) }
}

export function listenCertificates({ pairs }: ListenFiles): readonly OwnCertificate[] {
  return pairs.map(({ file, expires }) => ({ role: 'listen', file, expires }))
}

function rules({ minVersion }: TlsSettings, tls: ListenTls | undefined): TlsFiles {
  if (tls === undefined) return { minVersion }
  const { ciphers, maxVersion, crl } = tls
  return {
    minVersion: newer(minVersion, tls.minVersion),
    maxVersion,
    ...(ciphers !== undefined && { ciphers }),
    ...(crl.length > 0 && { crl: crl.flatMap(readCrl) }),
  }
}

/** Node reads one list of a text only. */
function readCrl(file: string): readonly string[] {
  const name = named('listen', 'crl', file)
  const lists = readText(name, file).match(CRL)
  if (lists === null) throw new ConfigError(`${name}: it has no list of revoked certificates in PEM`)
  attempt(name, () => createSecureContext({ crl: lists }))
  return lists
}

/** Kubernetes has `ca.crt` beside the others, without a key. */
function directoryPairs(directory: string | undefined): readonly CertificateFiles[] {
  if (directory === undefined) return []
  const name = named('listen', 'directory', directory)
  const entries = attempt(name, () => readdirSync(directory)).sort()
  const files = entries.flatMap(entry => {
    const [, stem, kind] = /^([^.].*)\.(crt|pem)$/.exec(entry) ?? []
    if (stem === undefined) return []
    const key = entries.includes(`${stem}.key`) ? join(directory, `${stem}.key`) : undefined
    return key === undefined && kind === 'crt' ? [] : [{ cert: join(directory, entry), key }]
  })
  if (files.length > 0) return files
  throw new ConfigError(`${name}: it must have NAME.crt beside NAME.key, or NAME.pem, got neither`)
}

function readPair(files: CertificateFiles): KeyPair {
  const { cert, key } = readOwn(files, 'listen')
  const name = named('listen', 'cert', files.cert)
  const [own] = certificatesIn(cert, name)
  const kind = own.publicKey.asymmetricKeyType
  return { file: files.cert, cert, key, kind, names: namesOf(own), expires: expiry(cert, name) }
}

/** The common name counts only without alternative names (RFC 6125 section 6.4.4). */
function namesOf({ subjectAltName, subject }: ReturnType<typeof certificatesIn>[0]): readonly string[] {
  const names =
    subjectAltName === undefined
      ? subject.matchAll(/^CN=(.*)$/gm)
      : subjectAltName.matchAll(/(?<=^|, )DNS:([^,]*)/g)
  return [...names].flatMap(found => found.slice(1)).map(name => name.toLowerCase())
}
