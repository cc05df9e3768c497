// The section `health`, and `check` of an upstream.

export { type CheckText, ownCheckSchema } from './check.ts'
export { healthSchema, type HealthText } from './health.ts'
export { healthProblems } from './problems.ts'
