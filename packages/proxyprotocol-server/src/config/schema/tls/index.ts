export {
  type Branch,
  branchConflict,
  branchesOf,
  branchUpstreams,
  mayLackUpstream,
  settlePassthrough,
} from './branches.ts'
export { type Fallback, type Passthrough, type PassthroughInit, passthroughSchema } from './passthrough.ts'
export type { Route, RouteInit } from './routes.ts'
export type { UnknownNames } from './unknown-names.ts'
