// Who gets in.

export { Admission } from './admission.ts'
export {
  type AdmissionLimits,
  admissionNames,
  type AdmissionOptions,
  admissionSettings,
  type AdmissionSettings,
  type AdmissionTimeouts,
  limitNames,
  plainSettings,
} from './options.ts'
export { ConnectionSlots } from './connection-slots.ts'
export { type OnRejected, Refusals, showFault } from './refusals.ts'
export type { Secure } from './secure.ts'
export {
  allowSources,
  allowVpce,
  denyLoopback,
  requireChecksum,
  requireUnicast,
  type Validator,
} from './validators.ts'
