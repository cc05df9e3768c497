// Connections that were refused before their handler started. Probes are none.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ProxyProtocolError } from 'proxyprotocol'
import {
  diagnosticsChannels,
  type ClosedMessage,
  type Connection,
  type ProxyServer,
  type RejectedMessage,
} from 'proxyprotocol/server'
import { type AccessEntry, describeAccess, rejectedEntry } from '../log/index.ts'
import type { ProgramIo } from './program.ts'

const { rejected, closed } = diagnosticsChannels

/** Returns what ends it. */
export function watchRejections(onRejected: (server: ProxyServer, entry: AccessEntry) => void): () => void {
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
      if (reason === 'probe') return
      const { id, age } = connection
      // a connection implies its server
      onRejected(server as ProxyServer, { ...rejectedEntry(info), id, reason, age, error })
    },
  }
  for (const [channel, listener] of Object.entries(listeners)) subscribe(channel, listener)
  return () => {
    for (const [channel, listener] of Object.entries(listeners)) unsubscribe(channel, listener)
  }
}

export function logRejection(io: ProgramIo, entry: AccessEntry, service?: string): void {
  io.log.write('rejected', describeAccess(entry, service), 'warn')
}
