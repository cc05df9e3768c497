// A directory of certificates with names, and relays that end TLS with them.

import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import { temporaryFolder } from 'test-support/folder'
import { aCertificate, bCertificate } from 'test-support/named-certificates'
import { dialSecure } from './secure.ts'

export interface NamedFiles {
  /** With a.crt and a.key, b.pem with both, and a ca.crt without a key. */
  readonly directory: string
  /** Writes a file there, and returns its path. */
  readonly write: (name: string, text: string) => string
}

export function namedFiles(t: TestContext): NamedFiles {
  const directory = join(temporaryFolder(t), 'certificates')
  mkdirSync(directory)
  const write = (name: string, text: string): string => {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  }
  write('a.crt', aCertificate.cert)
  write('a.key', aCertificate.key)
  write('b.pem', `${bCertificate.key}\n${bCertificate.cert}`)
  write('ca.crt', aCertificate.cert)
  return { directory, write }
}

/** The common name of the certificate that a client sees, which it does not check. */
export async function shownName(
  t: TestContext,
  port: number,
  options: ConnectionOptions = {},
): Promise<string> {
  const { secure } = dialSecure(t, port, { rejectUnauthorized: false, ...options })
  await once(secure, 'secureConnect')
  const { subject } = secure.getPeerCertificate()
  secure.end()
  return String(subject.CN)
}

/** The code of the error that a client's handshake ends with. */
export async function refusedWith(
  t: TestContext,
  port: number,
  options: ConnectionOptions = {},
): Promise<string | undefined> {
  const { secure } = dialSecure(t, port, { rejectUnauthorized: false, ...options })
  secure.resume()
  const [error] = (await once(secure, 'error')) as [NodeJS.ErrnoException]
  return error.code
}
