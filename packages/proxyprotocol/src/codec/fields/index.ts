// Which bytes of a header are which field, for the inspector.

export type { HeaderField } from './field-list.ts'
export { fieldsBefore } from './fields-before.ts'
export { headerFields } from './fields.ts'
export { sppFields } from './spp-fields.ts'
