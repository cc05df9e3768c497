// What stands between an accepted socket and its handler: whether the peer is believed, then its header.

import type { Socket } from 'node:net'
import { ProxyProtocolError, type ProxyHeader } from '../codec/index.ts'
import type { AdmissionSettings } from './options.ts'
import { readHeader } from './read-header.ts'
import type { Peer } from './trust.ts'

/**
 * The header of a socket that was just accepted; undefined where none is asked for. Payload that came with it is the
 * first that the socket gives.
 *
 * @throws ProxyProtocolError whose code is the reason to refuse the connection; anything else is what the trust
 * predicate threw.
 */
export async function receiveHeader(
  socket: Socket,
  transport: Peer['transport'],
  settings: AdmissionSettings,
): Promise<ProxyHeader | undefined> {
  const { isTrusted, readHeader: options } = settings
  if (isTrusted === undefined) return undefined
  const address = socket.remoteAddress
  if (!isTrusted({ address, transport })) {
    // A peer without an address was gone before it could be asked for one, as health checks are under load.
    if (address === undefined && transport === 'tcp') throw new ProxyProtocolError('probe')
    throw new ProxyProtocolError('untrusted_peer', { detail: address })
  }
  const { header, rest } = await readHeader(socket, options)
  if (rest.length > 0) socket.unshift(rest)
  return header
}
