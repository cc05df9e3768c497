// Connections that were turned away before anything was done for them, as log lines of the same shape as those about
// relayed ones. Checks that close without a byte are quiet.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ProxyProtocolError } from 'proxyprotocol'
import {
  diagnosticsChannels,
  type ClosedMessage,
  type Connection,
  type OpenedMessage,
  type ProxyServer,
  type RejectedMessage,
} from 'proxyprotocol/server'
import { describeAccess, rejectedEntry } from './access-log.ts'
import type { ProgramIo } from './program.ts'

const { opened, rejected, closed } = diagnosticsChannels

/** Some servers, which may change in the meantime. */
export type ServerSet = Pick<ReadonlySet<ProxyServer>, 'has'>

/** Logs what these servers turn away until the function that it gives is called; `nameOf` names their services. */
export function logRejections(
  io: ProgramIo,
  servers: ServerSet,
  nameOf: (server: ProxyServer) => string | undefined = () => undefined,
): () => void {
  const served = new Set<Connection>()
  const errors = new Map<Connection, ProxyProtocolError>()
  const listeners: Record<string, (message: unknown) => void> = {
    [opened]: message => {
      const { connection } = message as OpenedMessage // as each channel is documented
      if (connection) served.add(connection)
    },
    [rejected]: message => {
      const { connection, error } = message as RejectedMessage
      if (connection) errors.set(connection, error)
    },
    [closed]: message => {
      const { connection, server, info, reason } = message as ClosedMessage
      if (connection === undefined) return // a server that was attached to is none of ours
      const wasServed = served.delete(connection)
      const error = errors.get(connection)
      errors.delete(connection)
      const ours = server as ProxyServer // those have no other connections
      if (!servers.has(ours) || wasServed || reason === 'probe') return
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
