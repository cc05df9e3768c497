// Connections that were turned away before anything was done for them, as log lines of the same shape as those about
// relayed ones. Checks that close without a byte are quiet.

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

/** Some servers, which may change in the meantime. */
export type ServerSet = Pick<ReadonlySet<ProxyServer>, 'has'>

/** Logs what these servers turn away until the function that it gives is called; `nameOf` names their services. */
export function logRejections(
  io: ProgramIo,
  servers: ServerSet,
  nameOf: (server: ProxyServer) => string | undefined = () => undefined,
): () => void {
  const errors = new Map<Connection, ProxyProtocolError>()
  const listeners: Record<string, (message: unknown) => void> = {
    [rejected]: message => {
      const { connection, error } = message as RejectedMessage // as each channel is documented
      if (connection) errors.set(connection, error) // or it is of a server that was attached to, which is none of ours
    },
    [closed]: message => {
      const { connection, server, info, reason, served } = message as ClosedMessage
      if (served || !connection) return
      const error = errors.get(connection)
      errors.delete(connection)
      const ours = server as ProxyServer // as there is a connection
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
