// Listen addresses with several ports, `HOST:FIRST-LAST`: one address for each port.

import type { Address } from './address.ts'
import { addressOf } from './address.ts'
import { refusal } from './address-input.ts'
import { MAX_PORT } from './host-port.ts'

const MAX_PORTS = 1_000

/** A UNIX path may look like a range. */
const RANGE = /^(?!(?:(?:ssl|tls)\+)?unix:(?!\d))([^?]*:)(\d{1,5})-(\d{1,5})((?:\?.*)?)$/i

export function parseListen(text: string): readonly Address[] {
  const [, front = '', first = '', last = '', rest = ''] = RANGE.exec(text) ?? []
  if (first === '') return [listenAddress(text)]
  const [from, to] = [Number(first), Number(last)]
  if (from === 0 || to > MAX_PORT || to < from || to - from >= MAX_PORTS) {
    const hint = from > to ? `; did you mean "${last}-${first}"?` : ''
    throw refusal(
      { role: 'listen', text },
      `ports must be a range within 1-${String(MAX_PORT)} of at most ${String(MAX_PORTS)}, got "${first}-${last}"${hint}`,
    )
  }
  const address = listenAddress(front + first + rest)
  return Array.from({ length: to - from + 1 }, (_, at) => ({ ...address, port: from + at }))
}

function listenAddress(text: string): Address {
  return addressOf({ role: 'listen', text, certElsewhere: true })
}
