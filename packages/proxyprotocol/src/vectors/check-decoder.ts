// Checks a decoder: each input whole, with payload, and cut off. It compares only the answer's fields.

import { isDeepStrictEqual } from 'node:util'
import { quote } from '../checks/index.ts'
import { vectorFiles } from './vector-files.ts'
import type { Expected, ExpectedHeader, Vector } from './vector.ts'

/** A decoder's answer. Missing fields are not compared; `refused` is malformed or no header. */
export type DecoderAnswer =
  | ({ readonly status: 'header' } & Partial<ExpectedHeader>)
  | { readonly status: 'refused' }
  | { readonly status: 'partial' }

/**
 * A decoder to check. The vector has its options; `undefined` leaves it out. A thrown error is a
 * disagreement.
 */
export type CheckedDecoder = (bytes: Uint8Array, vector: Vector) => DecoderAnswer | undefined

/** The first difference between a decoder and a vector. */
export interface Disagreement {
  /** The vector's file. */
  readonly file: string
  readonly vector: Vector
  /** `whole`, `with payload behind it` or `cut off at N`. */
  readonly input: string
  /** Such as `status` or `source`. */
  readonly field: string
  readonly expected: unknown
  /** The decoder's value, or its error. */
  readonly got: unknown
}

/** The result of a check. */
export interface DecoderReport {
  /** Compared vectors. */
  readonly checked: number
  /** Left out by the decoder. */
  readonly skipped: number
  readonly disagreements: readonly Disagreement[]
}

/** It looks like another header, never like a part of the first. */
const PAYLOAD = new TextEncoder().encode('PROXY TCP4 203.0.113.9 203.0.113.10 1 2\r\n\r\n')

/**
 * Gives a decoder every vector.
 *
 * @returns the disagreements.
 * @example
 * ```ts run
 * import { decodeHeader } from 'proxyprotocol'
 * import { checkDecoder } from 'proxyprotocol/vectors'
 *
 * const { checked, disagreements } = checkDecoder((bytes, { options }) => {
 *   const result = decodeHeader(bytes, options)
 *   if (result.status === 'partial') return { status: 'partial' }
 *   if (result.status !== 'header') return { status: 'refused' }
 *   return { status: 'header', byteLength: result.byteLength, command: result.header.command }
 * })
 * console.log(checked, disagreements.length) // all of them, and none
 * ```
 */
export function checkDecoder(decode: CheckedDecoder): DecoderReport {
  const all = vectorFiles.flatMap(({ name: file, vectors }) => vectors.map(vector => ({ file, vector })))
  const asked = all.filter(({ vector }) => answerOf(decode, vector.bytes, vector) !== undefined)
  const disagreements = asked.flatMap(({ file, vector }) => {
    const found = firstDifference(decode, vector)
    return found ? [{ file, vector, ...found }] : []
  })
  return { checked: asked.length, skipped: all.length - asked.length, disagreements }
}

type Difference = Omit<Disagreement, 'file' | 'vector'>

function firstDifference(decode: CheckedDecoder, vector: Vector): Difference | undefined {
  for (const { input, bytes, expected } of trialsOf(vector)) {
    const answer = answerOf(decode, bytes, vector)
    const difference = answer && differenceOf(answer, expected)
    if (difference) return { input, ...difference }
  }
  return undefined
}

interface Trial {
  readonly input: string
  readonly bytes: Uint8Array
  readonly expected: Expected
}

function* trialsOf({ bytes, expected }: Vector): Generator<Trial> {
  yield { input: 'whole', bytes, expected }
  if (expected.status === 'partial') return
  const more = new Uint8Array(bytes.length + PAYLOAD.length)
  more.set(bytes)
  more.set(PAYLOAD, bytes.length)
  yield { input: 'with payload behind it', bytes: more, expected }
  if (expected.status !== 'header') return
  for (let length = 0; length < expected.byteLength; length++) {
    const input = `cut off at ${length}`
    yield { input, bytes: bytes.slice(0, length), expected: { status: 'partial', missing: 1 } }
  }
}

/** No answer equals it. */
interface Thrown {
  readonly error: unknown
}

function answerOf(
  decode: CheckedDecoder,
  bytes: Uint8Array,
  vector: Vector,
): DecoderAnswer | Thrown | undefined {
  try {
    const answer = decode(bytes.slice(), vector)
    if (answer === undefined || Object(answer) === answer) return answer
    throw new TypeError(`a decoder's answer must be an object or undefined, got ${quote(answer)}`)
  } catch (error) {
    return { error }
  }
}

function differenceOf(
  answer: DecoderAnswer | Thrown,
  expected: Expected,
): Omit<Difference, 'input'> | undefined {
  const status = expected.status === 'absent' || expected.status === 'invalid' ? 'refused' : expected.status
  if ('error' in answer) return { field: 'status', expected: status, got: answer.error }
  if (answer.status !== status) return { field: 'status', expected: status, got: answer.status }
  if (expected.status !== 'header') return undefined
  const wanted = new Map<string, unknown>(Object.entries(expected))
  const differing = Object.entries(answer).find(([field, got]) => !isDeepStrictEqual(got, wanted.get(field)))
  if (!differing) return undefined
  const [field, got] = differing
  return { field, expected: wanted.get(field), got }
}
