// The text of an address while it is read: how its parts are taken apart, and how a refusal quotes it whole.

import { ConfigError } from '../text/index.ts'

/** What an address is for: accepting connections, or making them. */
export type AddressRole = 'listen' | 'upstream'

/** An address string with what it is read for. */
export interface AddressInput {
  readonly role: AddressRole
  readonly text: string
  readonly defaultPort?: number
}

/** Shown in every refusal. */
const EXAMPLES = { listen: '127.0.0.1:10007', upstream: '192.0.2.1:8080?pp=v1' } as const
/** In those of an address with TLS. */
const TLS_EXAMPLES = {
  listen: 'ssl://127.0.0.1:10007?cert=cert.pem&key=key.pem&verify=CERT_NONE&minversion=TLSv1.2',
  upstream: 'ssl://192.0.2.1:8443?verify=CERT_REQUIRED&cafile=ca.pem&minversion=TLSv1.2',
} as const

/** The error for an address that cannot be used. */
export function refusal({ role, text }: AddressInput, problem: string): ConfigError {
  const examples = /^(?:ssl|tls)(?::\/\/|\+)/i.test(text) ? TLS_EXAMPLES : EXAMPLES
  return new ConfigError(
    `${role} address ${JSON.stringify(text)}: ${problem}; a right one is "${examples[role]}"`,
  )
}

/** What stands before and after the first separator; after it is undefined where there is none. */
export function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** Text in which `%3F` may stand for `?`, and so on; a plus sign is one, as in the name of a file. */
export function decodeText(encoded: string, input: AddressInput): string {
  try {
    return decodeURIComponent(encodeURI(encoded).replaceAll('%25', '%'))
  } catch {
    throw refusal(
      input,
      `${JSON.stringify(encoded)} is no text in percent-encoding, where "%" is written "%25"`,
    )
  }
}

/** The other way round: whatever would be taken for a part of the address, and for a space by the Python library. */
export function encodeText(text: string): string {
  return encodeURI(text).replace(/[?&#+]/g, encodeURIComponent)
}
