// Connections that were turned away before anything was done for them, as log lines of the same shape as those about
// relayed ones. Checks that close without a byte are quiet.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ProxyProtocolError } from 'proxyprotocol'
import {
  diagnosticsChannels,
  type ClosedMessage,
  type Connection,
  type ConnectionInfo,
  type OpenedMessage,
  type ProxyServer,
  type RejectedMessage,
} from 'proxyprotocol/server'
import { describeAccess, rejectedEntry } from './access-log.ts'
import type { ProgramIo } from './program.ts'

const { opened, rejected, closed } = diagnosticsChannels

/** Logs what these servers turn away until the function that it gives is called; `nameOf` names their services. */
export function logRejections(
  io: ProgramIo,
  servers: readonly ProxyServer[],
  nameOf: (server: ProxyServer) => string | undefined = () => undefined,
): () => void {
  const served = new WeakSet<ConnectionInfo>()
  const errors = new WeakMap<ConnectionInfo, ProxyProtocolError>()
  const listeners: Record<string, (message: unknown) => void> = {
    [opened]: message => {
      served.add((message as OpenedMessage).info) // as each channel is documented
    },
    [rejected]: message => {
      const { info, error } = message as RejectedMessage
      errors.set(info, error)
    },
    [closed]: message => {
      const { connection, server, info, reason } = message as ClosedMessage
      const ours = servers.find(each => each === server)
      if (!ours || served.has(info) || reason === 'probe') return
      const { id, age } = connection as Connection // no server of ours was attached to
      const entry = { ...rejectedEntry(info), id, reason, age, error: errors.get(info) }
      io.log.write('rejected', describeAccess(entry, nameOf(ours)), 'warn')
    },
  }
  for (const [channel, listener] of Object.entries(listeners)) subscribe(channel, listener)
  return () => {
    for (const [channel, listener] of Object.entries(listeners)) unsubscribe(channel, listener)
  }
}
