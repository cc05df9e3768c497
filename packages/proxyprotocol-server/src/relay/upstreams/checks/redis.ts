// Redis and Valkey: PING. A server that wants a password has answered too.

import { mismatch, quote } from './check-fault.ts'
import type { Talk } from './talk.ts'

export async function checkRedis(talk: Talk): Promise<void> {
  talk.send('*1\r\n$4\r\nPING\r\n')
  const line = await talk.line('+PONG')
  if (line !== '+PONG' && !line.startsWith('-NOAUTH ')) throw mismatch('+PONG', quote(line))
}
