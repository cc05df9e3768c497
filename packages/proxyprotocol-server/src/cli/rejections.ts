// Connections that were turned away before anything was done for them, as log lines.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { diagnosticsChannels, type ProxyServer, type RejectedMessage } from 'proxyprotocol/server'
import { showEndpoint } from './log.ts'
import { log, type ProgramIo } from './program.ts'

/** Logs what these servers reject until the function that it gives is called. */
export function logRejections(io: ProgramIo, servers: readonly ProxyServer[]): () => void {
  function onRejected(message: unknown): void {
    const { server, connection, info, error } = message as RejectedMessage // the channel's documented type
    if (!servers.some(each => each === server)) return
    log(io, 'rejected', [
      ['id', connection?.id],
      ['peer', showEndpoint(info.via.peer)],
      ['code', error.code],
      ['error', error.message],
    ])
  }
  subscribe(diagnosticsChannels.rejected, onRejected)
  return () => void unsubscribe(diagnosticsChannels.rejected, onRejected)
}
