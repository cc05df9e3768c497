// What it costs when a header comes in pieces: HeaderDecoder, and decodeHeader asked again for every prefix.

import {
  decodeHeader,
  HeaderDecoder,
  type DecodeResult,
} from '../../packages/proxyprotocol/src/codec/index.ts'
import type { Contender, Row } from './contender.ts'
import { samplesOf, SHAPES, type Sample } from './samples.ts'
import { keepPorts, keepTexts } from './sink.ts'
import { checkEnds } from './verify.ts'

/** A header, and the ways in which it may come. */
export interface Pieces extends Sample {
  readonly halves: readonly Buffer[]
  readonly octets: readonly Buffer[]
  readonly prefixes: readonly Buffer[]
}

const NOTHING = new Uint8Array(0)

const contenders: readonly Contender<Pieces>[] = [
  { name: 'HeaderDecoder, one chunk', notes: [], run: ({ bytes }) => keepHeader(pushed([bytes])) },
  { name: 'HeaderDecoder, two chunks', notes: [], run: ({ halves }) => keepHeader(pushed(halves)) },
  { name: 'HeaderDecoder, byte by byte', notes: [], run: ({ octets }) => keepHeader(pushed(octets)) },
  { name: 'decodeHeader, every prefix', notes: [], run: ({ prefixes }) => keepHeader(asked(prefixes)) },
]

/** Ours alone: the peers know whole headers only. */
export const streamRows: readonly Row<Pieces>[] = SHAPES.map(shape => ({
  task: 'stream',
  name: shape,
  inputs: samplesOf(shape).map(inPieces),
  contenders,
  check: checkEnds,
}))

function inPieces(sample: Sample): Pieces {
  const { bytes } = sample
  const half = bytes.length >> 1
  const ends = Array.from(bytes, (_, index) => index + 1)
  return {
    ...sample,
    halves: [bytes.subarray(0, half), bytes.subarray(half)],
    octets: ends.map(end => bytes.subarray(end - 1, end)),
    prefixes: ends.map(end => bytes.subarray(0, end)),
  }
}

function pushed(chunks: readonly Buffer[]): DecodeResult {
  const decoder = new HeaderDecoder()
  for (const chunk of chunks) decoder.push(chunk)
  return decoder.result
}

function asked(prefixes: readonly Buffer[]): DecodeResult {
  let result = decodeHeader(NOTHING)
  for (const prefix of prefixes) {
    if (result.status !== 'partial') throw new Error(result.status)
    result = decodeHeader(prefix)
  }
  return result
}

function keepHeader(result: DecodeResult): void {
  if (result.status !== 'header') throw new Error(result.status)
  const { header } = result
  if (header.family !== 'INET' && header.family !== 'INET6') throw new Error(header.family)
  keepTexts(header.source.address, header.destination.address)
  keepPorts(header.source.port, header.destination.port)
}
