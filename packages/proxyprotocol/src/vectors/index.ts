/**
 * The conformance kit: the vectors of this library's own tests as data, and a check of any decoder against them.
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
export { vectorFiles } from './vector-files.ts'
export type { Expected, ExpectedFault, ExpectedHeader, Vector, VectorEndpoint, VectorFile } from './vector.ts'
