export type { AccessFigures, RateFigures } from './admitted.ts'
export { sumOfCloses } from './close.ts'
export type { LiveConnection, TlsFacts } from './connection.ts'
export type { DatagramFigures, DirectionCounts } from './datagrams.ts'
export { Distribution, type DistributionView } from './distribution.ts'
export { answersOf, type ListingCounts } from './listings.ts'
export { type ProcessFigures, sumOfProcesses } from './process.ts'
export { adviceOn, isRefusal, LatestRefusals, mergedRefusals, type Refusal } from './refusals.ts'
export {
  type CertificateFigures,
  endedService,
  formerService,
  type ServiceFigures,
  shownService,
  sumOfServices,
} from './service.ts'
export type {
  ConnectionShown,
  LastMinute,
  MemberShown,
  Readiness,
  RefusalShown,
  ServiceShown,
  StatsDocument,
  SumsShown,
  UpstreamShown,
} from './stats-document.ts'
export {
  AGE_BOUNDS,
  CONNECT_BOUNDS,
  type HeaderCount,
  noTotals,
  type RelayTotals,
  type Sums,
  sumOfTotals,
  sumsOf,
} from './totals.ts'
export {
  type CheckCounts,
  type FailureCode,
  failuresOf,
  latestOf,
  type MemberSnapshot,
  type NameSnapshot,
  type QueueFigures,
  type RoutedUpstream,
  stateOf,
  type UpstreamCounts,
  type UpstreamFailure,
  type UpstreamSnapshot,
  type UpstreamState,
} from './upstream.ts'
export { sumOfNumbers } from './merged.ts'
export { noCounts, sumOfCounts, upstreamKey } from './upstream-sums.ts'
