export {
  type Branch,
  type CheckedBranch,
  branchConflict,
  branchesOf,
  checkedBranches,
  hasUpstream,
  settleBranches,
  withOwnHealth,
} from './branches.ts'
export { type Fallback, type Passthrough, type PassthroughInit, passthroughSchema } from './passthrough.ts'
export {
  type CertificateFiles,
  type ListenRoute,
  type ListenTls,
  type ListenTlsInit,
  listenTlsIssues,
  listenTlsSchema,
  newer,
} from './listen-tls.ts'
export type { Route, RouteInit } from './routes.ts'
export { lacksVersion2, type RouteSettings, tlvsOfItsOwn, withInherited } from './shared.ts'
export type { UnknownNames } from './unknown-names.ts'
