export {
  type AccessInit,
  accessProblem,
  accessRules,
  type AccessRules,
  type AclFrom,
  accessKeys,
} from './access.ts'
export {
  backlogSchema,
  limitsSchema,
  type OverLimit,
  overLimitSchema,
  type ServiceLimits,
  type ServiceLimitsInit,
} from './limits.ts'
export { type Rate, type RateInit, rateSchema } from './rate.ts'
export { type Acceptance, acceptance, trustMismatch, trustSchema } from './trust.ts'
