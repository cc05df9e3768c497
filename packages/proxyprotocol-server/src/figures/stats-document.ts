// What /stats.json contains. docs/admin.md describes it, and a test keeps the two equal.

import type { CloseReason } from 'proxyprotocol/server'
import type { LiveConnection } from './connection.ts'
import type { DatagramFigures } from './datagrams.ts'
import type { ProcessFigures } from './process.ts'
import type { AccessFigures } from './admitted.ts'
import type { Refusal } from './refusals.ts'
import type { CertificateFigures, ServiceFigures } from './service.ts'
import type { RelayTotals, Sums } from './totals.ts'
import type { CheckCounts, MemberSnapshot, NameSnapshot, RoutedUpstream } from './upstream.ts'

/** JSON has null in place of undefined. */
type Shown<Fields> = {
  readonly [Name in keyof Fields]: undefined extends Fields[Name]
    ? Exclude<Fields[Name], undefined> | null
    : Fields[Name]
}

export type Readiness = 'starting' | 'ready' | 'no_upstream' | 'draining'

/** The oldest first. */
export type LastMinute = Readonly<Record<keyof Sums, readonly number[]>>

export type SumsShown = Sums & Pick<RelayTotals, 'active' | 'pending'>

/** Durations in milliseconds, sizes in bytes, times as ISO 8601. */
export interface StatsDocument {
  readonly version: string
  readonly time: string
  readonly state: Readiness
  readonly draining: boolean
  readonly process: Shown<ProcessFigures>
  readonly log: { readonly lost: number }
  readonly totals: SumsShown
  readonly reasons: RelayTotals['closed']
  readonly lastMinute: LastMinute
  /** The newest first. */
  readonly refusals: readonly RefusalShown[]
  readonly services: readonly ServiceShown[]
  readonly connections: {
    readonly total: number
    readonly list: readonly ConnectionShown[]
  }
}

export interface RefusalShown extends Omit<Refusal, 'time' | 'peer' | 'source'> {
  readonly time: string
  readonly peer: string | null
  readonly source: string | null
  /** What an operator can do. */
  readonly advice: string
}

type ServiceFacts = Omit<
  ServiceFigures,
  'totals' | 'upstreams' | 'certificates' | 'listings' | 'limits' | 'timeouts' | 'access' | 'datagrams'
>
type ServiceCounts = Pick<RelayTotals, 'headers' | 'connects' | 'ages' | 'busiestSource'>

export interface ServiceShown extends Shown<ServiceFacts>, SumsShown, ServiceCounts {
  /** Null for no limit. */
  readonly limits: Readonly<Record<string, number | null>>
  readonly timeouts: Readonly<Record<string, number | null>>
  readonly access: Shown<AccessFigures> | null
  readonly reasons: RelayTotals['closed']
  readonly peak: number
  readonly lastMinute: LastMinute
  readonly upstreams: readonly UpstreamShown[]
  readonly certificates: readonly CertificateShown[]
  /** Null if no block list is asked. */
  readonly dnsbl: Readonly<Record<string, number>> | null
  /** Null for connections. */
  readonly datagrams: Shown<DatagramFigures> | null
}

export interface CertificateShown extends Omit<CertificateFigures, 'expires'> {
  readonly expires: string
}

export interface UpstreamShown extends Shown<Omit<RoutedUpstream, 'failures' | 'members' | 'resolution'>> {
  readonly failures: number
  readonly peak: number
  readonly members: readonly MemberShown[]
  readonly resolution: Shown<Omit<NameSnapshot, 'name' | 'addresses'>> | null
}

export interface MemberShown extends Shown<Omit<MemberSnapshot, 'failures' | 'checks'>> {
  readonly failures: number
  readonly checks: Pick<CheckCounts, 'type' | 'passed' | 'failed'> | null
}

export interface ConnectionShown extends Pick<
  LiveConnection,
  'id' | 'state' | 'age' | 'bytesUp' | 'bytesDown'
> {
  readonly service: string
  readonly peer: string | null
  readonly source: string | null
  readonly destination: string | null
  readonly upstream: string | null
  readonly tls: string | null
  readonly sni: string | null
  readonly reason: CloseReason | null
}
