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
  const served = new Set<Connection | undefined>() // connections of servers that were attached to are unknown
  const errors = new Map<Connection | undefined, ProxyProtocolError>()
  const listeners: Record<string, (message: unknown) => void> = {
    [opened]: message => {
      served.add((message as OpenedMessage).connection) // as each channel is documented
    },
    [rejected]: message => {
      const { connection, error } = message as RejectedMessage
      errors.set(connection, error)
    },
    [closed]: message => {
      const { connection, server, info, reason } = message as ClosedMessage
      const wasServed = served.delete(connection)
      const error = errors.get(connection)
      errors.delete(connection)
      const ours = server as ProxyServer // or what was attached to, which is none of them
      if (!servers.has(ours) || wasServed || reason === 'probe') return
      const { id, age } = connection as Connection // no server of ours was attached to
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
