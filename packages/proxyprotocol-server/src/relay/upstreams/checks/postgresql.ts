// PostgreSQL: the start of a session. A server asks it for a password only while it takes connections; a client that
// leaves then is not logged. If no password is needed, the session is ended properly.

import type { ActiveCheck } from '../../../config/index.ts'
import { mismatch, quote } from './check-fault.ts'
import type { Talk } from './talk.ts'

const PROTOCOL_3_0 = 0x3_0000
const HEAD_LENGTH = 5
const AUTHENTICATED = Buffer.alloc(4)
const WHAT = 'a request for authentication'

export async function checkPostgresql(talk: Talk, { user }: Pick<ActiveCheck, 'user'>): Promise<void> {
  talk.send(startup(user))
  for (;;) {
    const { type, payload } = await read(talk)
    if (type === 'E') throw mismatch(WHAT, errorOf(payload))
    if (type === 'R' && !payload.equals(AUTHENTICATED)) return
    if (type === 'Z') break // ready for queries
  }
  talk.send(Buffer.from('X\0\0\0\x04'))
}

function startup(user: string): Buffer {
  const settings = { user, database: 'postgres', application_name: 'proxyprotocol-server' }
  const text = Object.entries(settings).map(([name, value]) => `${name}\0${value}\0`)
  const payload = Buffer.from(`${text.join('')}\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(head.length + payload.length, 0)
  head.writeInt32BE(PROTOCOL_3_0, 4)
  return Buffer.concat([head, payload])
}

async function read(talk: Talk): Promise<{ readonly type: string; readonly payload: Buffer }> {
  const bytes = await talk.read(WHAT, received => {
    if (received.length < HEAD_LENGTH) return undefined
    const length = 1 + received.readUInt32BE(1)
    return received.length < length ? undefined : Math.max(length, HEAD_LENGTH)
  })
  return { type: bytes.toString('latin1', 0, 1), payload: bytes.subarray(HEAD_LENGTH) }
}

/** Fields of a letter and text each: S is the severity, M the message. */
function errorOf(payload: Buffer): string {
  const fields = new Map(
    payload
      .toString('utf8')
      .split('\0')
      .map(field => [field[0], field.slice(1)]),
  )
  return `${fields.get('S') ?? 'an error'} ${quote(Buffer.from(fields.get('M') ?? ''))}`
}
