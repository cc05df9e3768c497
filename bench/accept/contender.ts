// Who takes part: three kinds of load, and for each a bare server first, which everything else is a multiple of.

/** What the load does: HTTP with a connection for each request, 16 bytes there and back, HTTP on open connections. */
export type LoadKind = 'http' | 'net' | 'keep-alive'

/** The header in front of each connection. */
export type HeaderKind = 'none' | 'v1' | 'v2'

/** How the server under test receives headers. */
export type ServerKind = 'bare' | 'attach' | 'createServer' | 'findhit-proxywrap'

/** One server under one load, in a process of its own. */
export interface Contender {
  readonly load: LoadKind
  readonly server: ServerKind
  readonly header: HeaderKind
}

/** By load; the first is the bare one. */
export const rows: readonly (readonly Contender[])[] = [
  rowOf('http', [
    ['bare', 'none'],
    ['attach', 'v1'],
    ['attach', 'v2'],
    ['findhit-proxywrap', 'v1'],
  ]),
  rowOf('net', [
    ['bare', 'none'],
    ['attach', 'v1'],
    ['attach', 'v2'],
    ['createServer', 'none'],
    ['createServer', 'v1'],
    ['createServer', 'v2'],
    ['findhit-proxywrap', 'v1'],
  ]),
  rowOf('keep-alive', [
    ['bare', 'none'],
    ['attach', 'v1'],
    ['attach', 'v2'],
    ['findhit-proxywrap', 'v1'],
  ]),
]

function rowOf(load: LoadKind, contenders: readonly (readonly [ServerKind, HeaderKind])[]): Contender[] {
  return contenders.map(([server, header]) => ({ load, server, header }))
}
