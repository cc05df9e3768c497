// Takes an address string apart, and quotes it in errors.

import { ConfigError } from '../text/index.ts'

/** Whether an address accepts connections or makes them. */
export type AddressRole = 'listen' | 'upstream'

export interface AddressInput {
  readonly role: AddressRole
  readonly text: string
  readonly defaultPort?: number
  /** The service may have certificates of its own. */
  readonly certElsewhere?: boolean
}

const EXAMPLES = { listen: '127.0.0.1:10007', upstream: '192.0.2.1:8080?pp=v1' } as const
const TLS_EXAMPLES = {
  listen: 'ssl://127.0.0.1:10007?cert=cert.pem&key=key.pem&verify=CERT_NONE&minversion=TLSv1.2',
  upstream: 'ssl://192.0.2.1:8443?verify=CERT_REQUIRED&cafile=ca.pem&minversion=TLSv1.2',
} as const

export class AddressError extends ConfigError {
  readonly problem: string

  constructor({ role, text }: AddressInput, what: string) {
    const examples = /^(?:ssl|tls)(?::\/\/|\+)/i.test(text) ? TLS_EXAMPLES : EXAMPLES
    const problem = `${JSON.stringify(text)}: ${what}; a right one is "${examples[role]}"`
    super(`${role} address ${problem}`)
    this.problem = problem
  }
}

export function refusal(input: AddressInput, what: string): AddressError {
  return new AddressError(input, what)
}

export function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** A plus sign stays, as in file names. */
export function decodeText(encoded: string, input: AddressInput): string {
  try {
    return decodeURIComponent(encodeURI(encoded).replaceAll('%25', '%'))
  } catch {
    throw refusal(input, `${JSON.stringify(encoded)} is not percent-encoded text, where "%" is written "%25"`)
  }
}

/** The Python library takes some characters for a space. */
export function encodeText(text: string): string {
  return encodeURI(text).replace(/[?&#+]/g, encodeURIComponent)
}
