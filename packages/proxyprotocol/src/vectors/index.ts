/**
 * Our test vectors as data, and a check for any decoder.
 *
 * @module proxyprotocol/vectors
 */

export {
  checkDecoder,
  type CheckedDecoder,
  type DecoderAnswer,
  type DecoderReport,
  type Disagreement,
} from './check-decoder.ts'
export { sppVectors, vectorFiles } from './vector-files.ts'
export type {
  Expected,
  ExpectedFault,
  ExpectedHeader,
  SppVector,
  Vector,
  VectorEndpoint,
  VectorFile,
} from './vector.ts'
