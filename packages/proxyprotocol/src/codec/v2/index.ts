// Version 2, binary (spec 2.2).

export { expectedChecksum } from './checksum.ts'
export {
  addressBlockBytes,
  decodeV2,
  SIGNATURE_END,
  SIGNATURE_MIDDLE,
  SIGNATURE_START,
  V2_SIGNATURE,
} from './decode.ts'
export { type EncodeOptions, encodeV2 } from './encode.ts'
