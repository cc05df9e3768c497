// One header to one peer over a connection of its own, in a single write, as HAProxy and nginx want it.

import { connect } from 'node:net'

import type { Peer } from './peers.ts'
import { clientText, theirVerdict, type Verdict } from './verdict.ts'

/** Milliseconds until a peer that neither answers nor closes has refused. */
const TIMEOUT = 8_000

/** @returns the peer's verdict. */
export async function ask(peer: Peer, header: Uint8Array): Promise<Verdict> {
  const socket = connect({ port: peer.port, host: '127.0.0.1' })
  let answer = ''
  let own = ''
  socket.setEncoding('latin1').setTimeout(TIMEOUT, () => socket.destroy())
  socket.on('connect', () => {
    own = clientText('127.0.0.1', socket.localPort ?? 0)
    socket.end(Buffer.concat([header, peer.payload]))
  })
  socket.on('data', (text: string) => (answer += text))
  socket.on('error', () => socket.destroy())
  await new Promise(resolve => socket.on('close', resolve))
  return theirVerdict(answer, peer, own)
}
