// Checks that mean something: a short conversation in the upstream's protocol. Each is a function of what it reads.

import type { Socket } from 'node:net'
import type { ActiveCheck, CheckType } from '../../../config/index.ts'
import { CheckFault } from './check-fault.ts'
import { checkHttp } from './http.ts'
import { checkMysql } from './mysql.ts'
import { checkPostgresql } from './postgresql.ts'
import { checkRedis } from './redis.ts'
import { checkSendExpect } from './send-expect.ts'
import { checkSmtp } from './smtp.ts'
import { Talk } from './talk.ts'

export { checkDatagram, type DatagramTarget } from './datagram.ts'
export { CheckFault }

/** Connecting, and for `tls` the handshake, is all of the others. */
const CONVERSATIONS: Partial<Readonly<Record<CheckType, (talk: Talk, check: ActiveCheck) => Promise<void>>>> =
  {
    http: checkHttp,
    mysql: checkMysql,
    postgresql: checkPostgresql,
    redis: checkRedis,
    'send-expect': checkSendExpect,
    smtp: checkSmtp,
  }

/** @throws CheckFault */
export async function converse(socket: Socket, check: ActiveCheck): Promise<void> {
  const conversation = CONVERSATIONS[check.type]
  if (conversation === undefined) return
  const talk = new Talk(socket, check.timeout)
  try {
    await conversation(talk, check)
  } catch (fault) {
    socket.destroy()
    throw fault
  } finally {
    talk.stop()
  }
}
