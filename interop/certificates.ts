// Certificates as peers and clients take them: those of the library's tests, which are for localhost and 127.0.0.1.

import type { ConnectionOptions } from 'node:tls'
import { certificate, clientCertificate } from 'test-support/certificates'
import type { Harness } from './harness.ts'

/** Signs itself, and the client's. */
export const ca: string = certificate.cert

/** Of the client's certificate. */
export const CLIENT_CN = 'Zoë Client'

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
  /** Both in one file. */
  readonly both: string
}

export function certificateFiles(harness: Harness): CertificateFiles {
  const { cert, key } = certificate
  return {
    cert: harness.file('cert.pem', cert),
    key: harness.file('key.pem', key),
    both: harness.file('both.pem', `${cert}\n${key}\n`),
  }
}

/** What a client with a certificate shows. */
export const clientTls: ConnectionOptions = { cert: clientCertificate.cert, key: clientCertificate.key }
