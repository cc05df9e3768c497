// A name server in a process of its own. It serves block lists that come as a message, says where it listens, and ends
// with the process that has started it.

import { createSocket } from 'node:dgram'
import type { RemoteInfo } from 'node:dgram'
import { AUTHORITATIVE_ANSWER, decode, encode } from 'dns-packet'
import type { Lists } from './list-servers.ts'

const RESPONSE_CODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 }
const socket = createSocket('udp4')
let lists: Lists = {}

socket.on('message', (query: Buffer, from: RemoteInfo) => {
  const { id, questions = [] } = decode(query)
  const { codes, outcome } = answerTo(questions[0]?.name ?? '')
  if (outcome === 'SILENCE') return
  const response = encode({
    type: 'response',
    ...(id !== undefined && { id }),
    flags: AUTHORITATIVE_ANSWER | RESPONSE_CODES[outcome],
    questions,
    answers: codes.map(data => ({ type: 'A', name: questions[0]?.name ?? '', ttl: 300, data })),
  })
  socket.send(response, from.port, from.address)
})

process.once('message', message => {
  lists = message as Lists // the test's own
  socket.bind(0, '127.0.0.1', () => process.send?.(socket.address().port))
})
process.once('disconnect', () => socket.close())

/** What the list says to which the name belongs; a server refuses what it is not responsible for. */
function answerTo(name: string): {
  codes: readonly string[]
  outcome: keyof typeof RESPONSE_CODES | 'SILENCE'
} {
  const asked = name.toLowerCase()
  const zone = Object.keys(lists).find(each => asked.endsWith(`.${each}`))
  const list = zone === undefined ? 'REFUSED' : lists[zone]
  if (typeof list !== 'object') return { codes: [], outcome: list ?? 'REFUSED' }
  const codes = list[asked]
  return codes === undefined ? { codes: [], outcome: 'NXDOMAIN' } : { codes, outcome: 'NOERROR' }
}
