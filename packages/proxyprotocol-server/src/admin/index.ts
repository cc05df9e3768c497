// The admin listener: health, metrics and the state of things, on a port of their own.

export { AdminServer, type AdminOptions } from './admin-server.ts'
export type {
  AdminSource,
  CertificateView,
  ConnectionView,
  DistributionView,
  MemberView,
  Readiness,
  ResolutionView,
  ServiceView,
  TotalsView,
  UpstreamView,
} from './admin-source.ts'
export { ProcessFacts, type ProcessView } from './process-facts.ts'
export { MAX_LISTED } from './stats-document.ts'
export type { StatsDocument } from './stats-document.ts'
