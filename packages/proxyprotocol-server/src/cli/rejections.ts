// Logs connections that were refused before they were relayed. Probes are not logged.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ProxyProtocolError } from 'proxyprotocol'
import {
  diagnosticsChannels,
  type ClosedMessage,
  type Connection,
  type ProxyServer,
  type RejectedMessage,
} from 'proxyprotocol/server'
import { describeAccess, rejectedEntry } from '../log/index.ts'
import type { ProgramIo } from './program.ts'

const { rejected, closed } = diagnosticsChannels

export type ServerSet = Pick<ReadonlySet<ProxyServer>, 'has'>

export function logRejections(
  io: ProgramIo,
  servers: ServerSet,
  nameOf: (server: ProxyServer) => string | undefined = () => undefined,
): () => void {
  const errors = new Map<Connection, ProxyProtocolError>()
  const listeners: Record<string, (message: unknown) => void> = {
    [rejected]: message => {
      const { connection, error } = message as RejectedMessage // as the channel documents
      if (connection) errors.set(connection, error) // a server of attach(), not ours
    },
    [closed]: message => {
      const { connection, server, info, reason, served } = message as ClosedMessage
      if (served || !connection) return
      const error = errors.get(connection)
      errors.delete(connection)
      const ours = server as ProxyServer // a connection implies its server
      if (!servers.has(ours) || reason === 'probe') return
      const { id, age } = connection
      io.log.write(
        'rejected',
        describeAccess({ ...rejectedEntry(info), id, reason, age, error }, nameOf(ours)),
        'warn',
      )
    },
  }
  for (const [channel, listener] of Object.entries(listeners)) subscribe(channel, listener)
  return () => {
    for (const [channel, listener] of Object.entries(listeners)) unsubscribe(channel, listener)
  }
}
