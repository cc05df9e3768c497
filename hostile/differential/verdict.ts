// What an implementation makes of a header, in words that all of them can be brought to: whom it takes the client for.

import { decodeHeader, formatAddress, parseAddress, type Endpoint, type ErrorCode } from 'proxyprotocol'

import type { Peer } from './peers.ts'

/** `client` is `source destination`, `own` for the connection's own ends, or `unix` for those that have no port. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly client: string }
  /** It took the header, and then what followed for something else than the request that it is. */
  | { readonly kind: 'misread' }
  | { readonly kind: 'refused' }

/** Our verdict, and what led to it. */
export interface Ours {
  readonly verdict: Verdict
  /** Whether the request begins where the header ends; otherwise no server can be expected to answer it. */
  readonly aligned: boolean
  /** Why it was refused: the code of the fault, or `absent` or `partial`; the header's family where it was not. */
  readonly reason: ErrorCode | 'absent' | 'partial' | 'INET' | 'INET6' | 'UNIX' | 'UNSPEC' | 'LOCAL' | 'DGRAM'
}

/** What this library makes of `header` with `payload` behind it. */
export function ourVerdict(header: Uint8Array, payload: Uint8Array): Ours {
  const result = decodeHeader(Buffer.concat([header, payload]))
  if (result.status !== 'header') {
    const reason = result.status === 'invalid' ? result.code : result.status
    return { verdict: { kind: 'refused' }, aligned: true, reason }
  }
  const rest = Buffer.concat([header, payload]).subarray(result.byteLength).toString('latin1')
  const aligned =
    payload.length === 0 || rest.replace(/^(\r?\n)+/, '') === Buffer.from(payload).toString('latin1')
  const { header: said } = result
  if (said.family === 'UNSPEC') {
    const reason = said.command === 'LOCAL' ? 'LOCAL' : 'UNSPEC'
    return { verdict: { kind: 'accepted', client: 'own' }, aligned, reason }
  }
  const reason = said.transport === 'DGRAM' ? 'DGRAM' : said.family
  const client = said.family === 'UNIX' ? 'unix' : `${textOf(said.source)} ${textOf(said.destination)}`
  return { verdict: { kind: 'accepted', client }, aligned, reason }
}

function textOf(end: Endpoint): string {
  return 'path' in end ? 'unix' : clientText(end.address, end.port)
}

/** What a peer answered, or did not. `own` is the client's own end of the connection. */
export function theirVerdict(answer: string, { name }: Peer, own: string): Verdict {
  if (answer === '') return { kind: 'refused' }
  const [head = '', ...body] = answer.split('\r\n\r\n')
  if (name !== 'nginx stream' && !/^HTTP\/1\.\d 200 /.test(head)) return { kind: 'misread' }
  const text = name === 'nginx stream' ? answer : body.join('\r\n\r\n')
  return { kind: 'accepted', client: clientOf(text, name, own) }
}

function clientOf(text: string, name: Peer['name'], own: string): string {
  if (name !== 'go-proxyproto') {
    const [source = '', sourcePort = '', destination = '', destinationPort = ''] = text.split(' ')
    const from = clientText(source, sourcePort)
    return source === '' || from === own ? 'own' : `${from} ${clientText(destination, destinationPort)}`
  }
  const [from = '', to = ''] = text.split(' ').map(end => {
    const [, address, port] = /^\[?(.*?)\]?:(\d+)$/.exec(end) ?? []
    return address === undefined ? 'unix' : clientText(address, port ?? '')
  })
  return from === own ? 'own' : from === 'unix' ? 'unix' : `${from} ${to}`
}

/** An end in one spelling: what is not an address stays as it is, and some write port 0 as nothing. */
export function clientText(address: string, port: string | number): string {
  return `${canonical(address)}:${port === '' ? 0 : port}`
}

function canonical(address: string): string {
  const bytes = parseAddress(address)
  return bytes ? formatAddress(bytes) : `(${address})`
}

/** Whether both come to the same client. */
export function agree({ verdict, aligned }: Ours, theirs: Verdict): boolean {
  if (!aligned && theirs.kind !== 'accepted') return true
  if (verdict.kind !== 'accepted' || theirs.kind !== 'accepted') return verdict.kind === theirs.kind
  return verdict.client === theirs.client
}
