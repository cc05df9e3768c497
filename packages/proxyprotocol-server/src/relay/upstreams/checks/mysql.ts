// MySQL and MariaDB: a whole login without password, and COM_QUIT. A server logs a client that leaves earlier as aborted,
// and blocks its host after some of them.

import type { ActiveCheck } from '../../../config/index.ts'
import { mismatch, quote } from './check-fault.ts'
import type { Talk } from './talk.ts'

const HEAD_LENGTH = 4
const PROTOCOL_VERSION = 10
/** CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH. */
const CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x8_0000
const MAX_PACKET = 0x100_0000
const UTF8MB4 = 45
const COM_QUIT = 1
const OK = 0x00
const AUTH_SWITCH = 0xfe
const ERROR = 0xff

interface Packet {
  readonly sequence: number
  readonly payload: Buffer
}

export async function checkMysql(talk: Talk, { user }: Pick<ActiveCheck, 'user'>): Promise<void> {
  const { payload: greeting } = await read(talk, 'a greeting')
  if (greeting[0] !== PROTOCOL_VERSION) throw mismatch('a greeting', shown(greeting))
  send(talk, 1, login(user))
  let answer = await read(talk, 'OK to the login')
  if (answer.payload[0] === AUTH_SWITCH) {
    send(talk, answer.sequence + 1, Buffer.alloc(0)) // the empty password, whatever the method
    answer = await read(talk, 'OK to the login')
  }
  if (answer.payload[0] !== OK) throw mismatch('OK to the login', shown(answer.payload))
  send(talk, 0, Buffer.of(COM_QUIT))
}

async function read(talk: Talk, what: string): Promise<Packet> {
  const bytes = await talk.read(what, received => {
    if (received.length < HEAD_LENGTH) return undefined
    const length = HEAD_LENGTH + received.readUIntLE(0, 3)
    return received.length < length ? undefined : length
  })
  return { sequence: bytes.readUInt8(3), payload: bytes.subarray(HEAD_LENGTH) }
}

function send(talk: Talk, sequence: number, payload: Buffer): void {
  const head = Buffer.alloc(HEAD_LENGTH)
  head.writeUIntLE(payload.length, 0, 3)
  head.writeUInt8(sequence & 0xff, 3)
  talk.send(Buffer.concat([head, payload]))
}

/** HandshakeResponse41. */
function login(user: string): Buffer {
  const head = Buffer.alloc(32)
  head.writeUInt32LE(CAPABILITIES, 0)
  head.writeUInt32LE(MAX_PACKET, 4)
  head.writeUInt8(UTF8MB4, 8)
  return Buffer.concat([head, Buffer.from(`${user}\0\0mysql_native_password\0`)])
}

/** An error has a number, perhaps `#` and an SQL state, and a message. */
function shown(payload: Buffer): string {
  if (payload[0] !== ERROR || payload.length < 3) return quote(payload)
  const message = payload.toString('utf8', 3).replace(/^#.{5}/s, '')
  return `error ${String(payload.readUInt16LE(1))} ${quote(Buffer.from(message))}`
}
