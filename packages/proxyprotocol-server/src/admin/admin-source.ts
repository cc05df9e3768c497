// What the admin listener shows, as plain data that it asks for at each request. It knows no relay: whoever wires it up
// passes what has this shape.

import type { Endpoint } from 'proxyprotocol'
import type { CloseReason, ConnectionState, ServerState } from 'proxyprotocol/server'
import type { ProcessView } from './process-facts.ts'

/** Counts by ranges of a duration. Bounds and sum in milliseconds. */
export interface DistributionView {
  /** Upper bounds, ascending; a last range above them has none. */
  readonly bounds: readonly number[]
  /** One for each bound and one for the last range; each range for itself. */
  readonly counts: readonly number[]
  readonly sum: number
}

/** Since the start of a service. */
export interface TotalsView {
  readonly accepted: number
  readonly active: number
  readonly pending: number
  readonly closed: Readonly<Record<CloseReason, number>>
  readonly bytesUp: number
  readonly bytesDown: number
  readonly headers: readonly {
    readonly version: 1 | 2
    readonly command: 'LOCAL' | 'PROXY'
    readonly count: number
  }[]
  readonly connects: DistributionView
  readonly ages: DistributionView
}

/** What is known of a client's TLS. */
export interface TlsView {
  readonly version: string | undefined
  /** The name that it asked for (SNI). */
  readonly serverName: string | undefined
}

/** A connection of this moment; `age` in milliseconds. */
export interface ConnectionView {
  readonly id: string
  readonly state: ConnectionState
  readonly peer: Endpoint | undefined
  readonly source: Endpoint | undefined
  readonly destination: Endpoint | undefined
  readonly upstream: Endpoint | undefined
  readonly tls: TlsView | undefined
  readonly age: number
  readonly bytesUp: number
  readonly bytesDown: number
  readonly reason: CloseReason | undefined
}

/** The failure of an upstream that came last, `age` milliseconds ago. */
export interface FailureView {
  readonly code: string
  readonly message: string
  readonly age: number
}

/** A certificate that a service shows. */
export interface CertificateView {
  /** `listen`: to clients; `upstream`: to upstreams. */
  readonly role: string
  /** As configured: it is a label of metrics. */
  readonly file: string
  /** Milliseconds since 1970. */
  readonly expires: number
}

/** One upstream of a service. */
/** One member of an upstream: one of the addresses of its name, or the only one that it has. */
export interface MemberView {
  readonly address: string
  readonly weight: number
  readonly state: string
  readonly active: number
  readonly total: number
  readonly failures: number
  /** Of a connection, or of a check. */
  readonly lastFailure?: FailureView | undefined
  /** Checks so far; undefined where it is not checked. */
  readonly checks?: { readonly passed: number; readonly failed: number } | undefined
}

/** How the name of an upstream is looked up; `age` of the last good answer in milliseconds, undefined without one. */
export interface ResolutionView {
  readonly age: number | undefined
  readonly answers: number
  readonly failures: number
  readonly lastFailure: string | undefined
}

/** One upstream of a service; what is counted is the sum over its members, those that are gone included. */
export interface UpstreamView {
  readonly name: string
  /** The first server name of the route that leads to it; `*` for the default route. */
  readonly route: string
  readonly address: string | undefined
  readonly weight: number
  readonly backup: boolean
  /** `up`, `drained` for the weight 0, or why it is not used. */
  readonly state: string
  readonly active: number
  readonly total: number
  readonly failures: number
  /** Of a connection, or of a check. */
  readonly lastFailure?: FailureView | undefined
  readonly members: readonly MemberView[]
  /** Members that have come or gone. */
  readonly memberChanges: number
  /** Addresses of its name that are too many to be used. */
  readonly leftOut: number
  /** Undefined where it is given by its address. */
  readonly resolution: ResolutionView | undefined
}

/** One service. Durations in milliseconds. */
export interface ServiceView {
  /** As configured: it is a label of metrics. */
  readonly name: string
  /** Where it listens; undefined while it does not. */
  readonly address: string | undefined
  readonly upstream: string
  readonly sends: string
  /** Which headers it accepts; undefined where it reads none. */
  readonly expects: string | undefined
  readonly trust: readonly string[]
  readonly state: ServerState
  /** By name; `Infinity` for what is not limited. */
  readonly limits: Readonly<Record<string, number>>
  /** By name. */
  readonly timeouts: Readonly<Record<string, number>>
  readonly totals: () => TotalsView
  readonly connections: () => Iterable<ConnectionView>
  readonly upstreams: () => readonly UpstreamView[]
  readonly certificates: readonly CertificateView[]
  /** Answers of block lists by what they say: `listed`, `clear`, or why nothing is known; undefined where none is asked. */
  readonly dnsbl: Readonly<Record<string, number>> | undefined
}

/** Whether the program takes connections: not yet, now, or no longer. */
export type Readiness = 'starting' | 'ready' | 'draining'

/** All that the admin listener shows. */
export interface AdminSource {
  /** Of the program. */
  readonly version: string
  readonly readiness: () => Readiness
  readonly services: () => readonly ServiceView[]
  /** Log lines that nobody took. */
  readonly lostLogLines: () => number
  /** Brings up to date what other processes know; undefined where this one is alone. */
  readonly refresh?: (() => Promise<void>) | undefined
  /** All processes of the program as one, given this one; undefined where it is alone. */
  readonly allProcesses?: ((own: ProcessView) => ProcessView) | undefined
}
