// The query of an address: which header, and TLS settings.

import { nearest } from '../text/index.ts'
import { type AddressInput, decodeText, encodeText, refusal, splitOnce } from './address-input.ts'
import { filledTls, missingCert, type TlsInit, tlsProblem, type TlsSettings } from './tls.ts'

const PP_MODES = ['v1', 'v2', 'detect', 'noop'] as const

const UDP_MODES = ['v2', 'spp', 'unsafe-first', 'noop'] as const

/** How an address treats the PROXY protocol: one version, either, or none. */
export type PpMode = (typeof PP_MODES)[number]

/** How a `udp://` address treats headers; `unsafe-first` takes only the first datagram of a peer as one. */
export type UdpMode = (typeof UDP_MODES)[number]

/** Those of the Python library first. */
const TLS_KEYS = {
  cert: 'cert',
  key: 'key',
  verify: 'verify',
  cafile: 'cafile',
  capath: 'capath',
  cadata: 'cadata',
  minversion: 'minVersion',
  alpn: 'alpn',
  servername: 'servername',
} as const

interface Query {
  readonly pp: PpMode | UdpMode | undefined
  readonly tls: TlsSettings | undefined
}

export function parseQuery(
  query: string,
  secure: boolean,
  input: AddressInput,
): { readonly pp: PpMode | undefined; readonly tls: TlsSettings | undefined } {
  const values = valuesOf(query, secure, input)
  const pp = parsePp(values.get('pp'), PP_MODES, input)
  return { pp, tls: secure ? parseTls(values, input) : undefined }
}

export function parseUdpQuery(
  query: string,
  input: AddressInput,
): { readonly pp: UdpMode | undefined; readonly tls: undefined } {
  const pp = parsePp(valuesOf(query, false, input).get('pp'), UDP_MODES, input)
  if (pp !== 'unsafe-first' || input.role === 'listen') return { pp, tls: undefined }
  throw refusal(input, '"pp" must be one of v2, spp, noop for an upstream, got "unsafe-first"')
}

function valuesOf(query: string, secure: boolean, input: AddressInput): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const pair of query === '' ? [] : query.split('&')) {
    const [key, value = ''] = splitOnce(pair, '=')
    checkKey(key, secure, input)
    if (values.has(key))
      throw refusal(input, `the key ${JSON.stringify(key)} must be given once, got it twice`)
    values.set(key, decodeText(value, input))
  }
  return values
}

export function formatQuery({ pp, tls }: Query): string {
  const pairs = [...(pp === undefined ? [] : [`pp=${pp}`]), ...(tls ? formatTls(tls) : [])]
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

function formatTls(tls: TlsSettings): readonly string[] {
  return Object.entries(TLS_KEYS).flatMap(([key, name]) => {
    const value = String(tls[name] ?? '')
    return value === '' ? [] : [`${key}=${encodeText(value)}`]
  })
}

function checkKey(key: string, secure: boolean, input: AddressInput): void {
  const isTls = Object.hasOwn(TLS_KEYS, key)
  if (key === 'pp' || (isTls && secure)) return
  const quoted = JSON.stringify(key)
  if (isTls)
    throw refusal(
      input,
      `the key ${quoted} must stand in an address with TLS, which starts with "ssl://" or "tls://"`,
    )
  const tlsKeys = Object.keys(TLS_KEYS)
  const meant = nearest(key, ['pp', ...tlsKeys])
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`
  throw refusal(input, `the key must be "pp", or with TLS one of ${tlsKeys.join(', ')}, got ${quoted}${hint}`)
}

function parsePp<Mode extends string>(
  value = '',
  modes: readonly Mode[],
  input: AddressInput,
): Mode | undefined {
  if (value === '') return undefined
  const mode = modes.find(known => known === value.toLowerCase())
  if (mode !== undefined) return mode
  throw refusal(input, `"pp" must be one of ${modes.join(', ')}, got ${JSON.stringify(value.toLowerCase())}`)
}

function parseTls(values: ReadonlyMap<string, string>, input: AddressInput): TlsSettings {
  const given = Object.entries(TLS_KEYS).flatMap(([key, name]) => {
    const value = values.get(key) ?? ''
    return value === '' ? [] : [[name, key === 'alpn' ? value.split(',') : value] as const]
  })
  const init = Object.fromEntries(given) as TlsInit // tlsProblem() has excluded other values
  const { role, certElsewhere = false } = input
  const problem = tlsProblem(init, role) ?? (certElsewhere ? undefined : missingCert(init, role))
  if (problem !== undefined) throw refusal(input, problem)
  return filledTls(init, role)
}
