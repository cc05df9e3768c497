// SMTP (RFC 5321): greeting, EHLO, QUIT, each with its reply, so that the server logs no lost connection.

import type { ActiveCheck } from '../../../config/index.ts'
import { mismatch, quote } from './check-fault.ts'
import type { Talk } from './talk.ts'

export async function checkSmtp(talk: Talk, { host }: Pick<ActiveCheck, 'host'>): Promise<void> {
  await replied(talk, 'the greeting 220')
  talk.send(`EHLO ${host}\r\n`)
  await replied(talk, 'the reply 250')
  talk.send('QUIT\r\n')
  await replied(talk, 'the reply 221')
}

/** @param what ends with the code of the reply. */
async function replied(talk: Talk, what: string): Promise<void> {
  let line: string
  do line = await talk.line(what)
  while (line.startsWith(`${what.slice(-3)}-`)) // RFC 5321 section 4.2.1: only the last line has a space there
  if (!line.startsWith(what.slice(-3))) throw mismatch(what, quote(line))
}
