// Certificates as files, as the programs read them.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { certificate, clientCertificate, otherCertificate } from 'test-support/certificates'
import { temporaryFolder } from 'test-support/folder'

export interface CertificateFiles {
  readonly directory: string
  /** Of `certificate`, which signs itself: its authority as well. */
  readonly cert: string
  readonly key: string
  /** Of `otherCertificate`, which no one trusts. */
  readonly otherCert: string
  readonly otherKey: string
  /** Of `clientCertificate`, which `certificate` has signed. */
  readonly clientCert: string
  readonly clientKey: string
  /** `ssl://127.0.0.1:0` with the certificate and its key. */
  readonly source: string
}

export function certificateFiles(t: TestContext): CertificateFiles {
  const at = temporaryFolder(t)
  function file(name: string, text: string): string {
    const path = join(at, name)
    writeFileSync(path, text)
    return path
  }
  const [cert, key] = [file('cert.pem', certificate.cert), file('key.pem', certificate.key)]
  return {
    directory: at,
    cert,
    key,
    otherCert: file('other-cert.pem', otherCertificate.cert),
    otherKey: file('other-key.pem', otherCertificate.key),
    clientCert: file('client-cert.pem', clientCertificate.cert),
    clientKey: file('client-key.pem', clientCertificate.key),
    source: `ssl://127.0.0.1:0?cert=${cert}&key=${key}`,
  }
}
