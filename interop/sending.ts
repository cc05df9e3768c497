// Cases with the peer in front of our servers: a client connects to the peer, and what our server behind it has learnt is
// held against the client's own two ends.

import assert from 'node:assert/strict'
import { ask, PAYLOAD, type Answer, type Way } from './asking.ts'
import type { Case } from './peer.ts'
import type { Seen, SeenSsl } from './seen.ts'
import type { ServerKind } from './servers.ts'

/** What is not named may be anything; of the facts about TLS, too. */
export type Expected = Partial<Omit<Seen, 'ssl'>> & { readonly ssl?: Partial<SeenSsl> | undefined }

export interface Sending {
  readonly name: string
  /** The server behind the peer. */
  readonly kind: ServerKind
  /** How the client gets to the peer. */
  readonly way: Way
  /** What the server must have seen, besides the client's ends; a function where that depends on the client. */
  readonly expected: Expected | ((answer: Answer) => Expected)
}

/** The peer must have announced the client's ends, and the payload must have come whole. */
export function sending({ name, kind, way, expected }: Sending): Case {
  return {
    direction: 'sends',
    name: `${name} to ${kind}`,
    run: async () => {
      const answer = await ask(kind, way)
      const more = typeof expected === 'function' ? expected(answer) : expected
      checkSeen(answer, kind === 'codec' ? { remote: undefined, ...more } : more)
      return describe(answer.seen)
    },
  }
}

/** What a PROXY header must say where nothing else is said; what stands in `expected` comes first. */
export function checkSeen({ seen, client }: Pick<Answer, 'seen' | 'client'>, expected: Expected): void {
  const plain: Expected = {
    command: 'PROXY',
    transport: 'STREAM',
    source: client.source,
    destination: client.destination,
    remote: client.source,
    ...(seen.payload !== undefined && { payload: PAYLOAD }),
  }
  const all = { ...plain, ...expected }
  const ssl = all.ssl && seen.ssl && pick(seen.ssl, all.ssl)
  assert.deepEqual(pick({ ...seen, ...('ssl' in all && { ssl }) }, all), all)
}

/** The same properties of another object. */
function pick(object: object, names: object): object {
  const values = object as Record<string, unknown> // read by name only
  return Object.fromEntries(Object.keys(names).map(name => [name, values[name]]))
}

/** The header without what differs from run to run. */
export function describe({ version, command, family, transport, ...seen }: Seen): string {
  const { ssl } = seen
  const parts = [
    `v${version} ${command} ${family} ${transport}`,
    seen.alpn && `alpn ${seen.alpn}`,
    seen.authority && `authority ${seen.authority}`,
    seen.uniqueId && 'unique id',
    ssl && ['ssl', ssl.version, ssl.cipher, ssl.sigAlg, ssl.keyAlg].filter(Boolean).join(' '),
    ssl &&
      (ssl.verified ? ['client certificate', ssl.cn].filter(Boolean).join(' ') : 'no client certificate'),
    seen.checksum && 'CRC-32C',
  ]
  return parts.filter(Boolean).join(', ').trim()
}
