// Fields that do not apply are left out.

import type { ConnectionInfo } from 'proxyprotocol/server'
import { describeListing, type FlowRecord, type RelayRecord, type Route } from '../relay/index.ts'
import { type LogFields, type LogValue, showEndpoint } from './text.ts'

export interface AccessEntry
  extends
    Pick<
      RelayRecord,
      'id' | 'peer' | 'local' | 'source' | 'destination' | 'uniqueId' | 'received' | 'reason'
    >,
    Partial<
      Pick<
        RelayRecord,
        'sent' | 'tls' | 'listing' | keyof Route | 'bytesUp' | 'bytesDown' | 'timings' | 'error'
      >
    > {
  readonly age: number
}

export function describeAccess(entry: AccessEntry, service: string | undefined): LogFields {
  const { id, uniqueId, peer, source, destination, local, received, sent, tls, timings, error } = entry
  const { listing, upstream, upstreamAddress, attempts, reason, bytesUp = 0, bytesDown = 0, age } = entry
  return [
    ['id', id],
    ['uniqueId', uniqueId],
    ['service', service],
    ['peer', showEndpoint(peer)],
    ['source', showEndpoint(source)],
    ['destination', showEndpoint(destination)],
    ['local', showEndpoint(local)],
    ['upstream', upstream],
    ['upstreamAddress', upstreamAddress && showEndpoint(upstreamAddress)],
    ['attempts', attempts],
    ['received', received && `v${String(received.version)}`],
    ['command', received?.command],
    ['sent', sent],
    ['tls', tls?.version],
    ['sni', tls?.serverName],
    ['dnsbl', listing && describeListing(listing)],
    ['reason', reason],
    ['code', error?.code === reason ? undefined : error?.code],
    ['bytesUp', bytesUp],
    ['bytesDown', bytesDown],
    ['headerMs', tenths(timings?.header)],
    ['dnsblMs', tenths(timings?.dnsbl)],
    ['connectMs', tenths(timings?.connect)],
    ['firstByteMs', tenths(timings?.firstByte)],
    ['ms', tenths(age)],
    ['error', error?.message],
  ]
}

/** A flow of datagrams at its end. */
export function describeFlow(record: FlowRecord, service: string): LogFields {
  const { peer, source, destination, upstream, upstreamAddress, reason, up, down, age } = record
  return [
    ['service', service],
    ['peer', showEndpoint(peer)],
    ['source', showEndpoint(source)],
    ['destination', showEndpoint(destination)],
    ['upstream', upstream],
    ['upstreamAddress', upstreamAddress && showEndpoint(upstreamAddress)],
    ['reason', reason],
    ['datagramsUp', up.datagrams],
    ['datagramsDown', down.datagrams],
    ['bytesUp', up.bytes],
    ['bytesDown', down.bytes],
    ['ms', tenths(age)],
  ]
}

export function rejectedEntry({
  via,
  source,
  destination,
  uniqueId,
  header,
}: ConnectionInfo): Omit<AccessEntry, 'id' | 'reason' | 'age'> {
  return { ...via, source, destination, uniqueId, received: header }
}

function tenths(milliseconds: number | undefined): LogValue {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 10) / 10
}
