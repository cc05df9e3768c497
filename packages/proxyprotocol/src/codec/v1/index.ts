// Version 1, a line of text (spec 2.1).

export { decodeV1, MAX_V1_BYTES, MIN_V1_BYTES, V1_PREFIX } from './decode.ts'
export { encodeV1 } from './encode.ts'
