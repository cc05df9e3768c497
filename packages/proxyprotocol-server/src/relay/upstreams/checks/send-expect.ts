// Any protocol: bytes to send, and bytes that the answer must contain.

import type { ActiveCheck } from '../../../config/index.ts'
import { quote } from './check-fault.ts'
import type { Talk } from './talk.ts'

export async function checkSendExpect(
  talk: Talk,
  { send, expect }: Pick<ActiveCheck, 'send' | 'expect'>,
): Promise<void> {
  if (send.length > 0) talk.send(send)
  await talk.read(quote(Buffer.from(expect)), received => {
    const at = received.indexOf(expect)
    return at === -1 ? undefined : at + expect.length
  })
}
