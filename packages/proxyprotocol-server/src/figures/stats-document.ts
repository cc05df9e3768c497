// What /stats.json contains, and what the status page shows. docs/admin.md describes it, and a test keeps the two equal.

import type { CloseReason } from 'proxyprotocol/server'
import type { LiveConnection } from './connection.ts'
import type { ProcessFigures } from './process.ts'
import type { CertificateFigures, ServiceFigures } from './service.ts'
import type { RelayTotals, Sums } from './totals.ts'
import type { CheckCounts, MemberSnapshot, NameSnapshot, RoutedUpstream } from './upstream.ts'

/** The same in JSON, which has null in place of undefined. */
type Shown<Fields> = {
  readonly [Name in keyof Fields]: undefined extends Fields[Name]
    ? Exclude<Fields[Name], undefined> | null
    : Fields[Name]
}

/** Whether the program accepts connections: not yet, now, without an upstream that it needs, or no longer. */
export type Readiness = 'starting' | 'ready' | 'no_upstream' | 'draining'

/** The sums of each of the last sixty seconds, the oldest first. */
export type LastMinute = Readonly<Record<keyof Sums, readonly number[]>>

/** Sums since the start, and what is open now. */
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
  readonly services: readonly ServiceShown[]
  readonly connections: {
    readonly total: number
    /** The oldest of each service, up to a limit for all. */
    readonly list: readonly ConnectionShown[]
  }
}

type ServiceFacts = Omit<
  ServiceFigures,
  'totals' | 'upstreams' | 'certificates' | 'listings' | 'limits' | 'timeouts'
>
type ServiceCounts = Pick<RelayTotals, 'headers' | 'connects' | 'ages'>

/** One service. */
export interface ServiceShown extends Shown<ServiceFacts>, SumsShown, ServiceCounts {
  /** By name; null for no limit. */
  readonly limits: Readonly<Record<string, number | null>>
  readonly timeouts: Readonly<Record<string, number | null>>
  readonly reasons: RelayTotals['closed']
  /** The most connections at once, read once a second. */
  readonly peak: number
  readonly lastMinute: LastMinute
  readonly upstreams: readonly UpstreamShown[]
  readonly certificates: readonly CertificateShown[]
  /** Answers of block lists; null if none is asked. */
  readonly dnsbl: Readonly<Record<string, number>> | null
}

/** A certificate; `expires` as ISO 8601. */
export interface CertificateShown extends Omit<CertificateFigures, 'expires'> {
  readonly expires: string
}

/** One upstream. */
export interface UpstreamShown extends Shown<Omit<RoutedUpstream, 'failures' | 'members' | 'resolution'>> {
  readonly failures: number
  /** As that of its service. */
  readonly peak: number
  readonly members: readonly MemberShown[]
  readonly resolution: Shown<Omit<NameSnapshot, 'name' | 'addresses'>> | null
}

/** One member of an upstream. */
export interface MemberShown extends Shown<Omit<MemberSnapshot, 'failures' | 'checks'>> {
  readonly failures: number
  readonly checks: Pick<CheckCounts, 'passed' | 'failed'> | null
}

/** One open connection. */
export interface ConnectionShown extends Pick<
  LiveConnection,
  'id' | 'state' | 'age' | 'bytesUp' | 'bytesDown'
> {
  readonly service: string
  readonly peer: string | null
  readonly source: string | null
  readonly destination: string | null
  readonly upstream: string | null
  /** The version of the client's TLS, if it is known. */
  readonly tls: string | null
  /** The name that the client asked for. */
  readonly sni: string | null
  readonly reason: CloseReason | null
}
