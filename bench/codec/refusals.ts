// What a server refuses or waits for: bytes that are no header, malformed ones early and late, and prefixes.

import { decodeHeader } from '../../packages/proxyprotocol/src/codec/index.ts'
import type { Contender, Row } from './contender.ts'
import { samplesOf, type Shape } from './samples.ts'
import { keepVerdict } from './sink.ts'
import { checkVerdict } from './verify.ts'

/** Bytes with the verdict that they must get. */
export interface Refusal {
  readonly name: string
  readonly verdict: 'absent' | 'invalid' | 'partial'
  readonly bytes: Buffer
}

const V2_VERSION_AT = 12
const V2_FIXED_BYTES = 16

const v1 = headerOf('v1 TCP4')
const v2 = headerOf('v2 TCP4')
const v2Tlvs = headerOf('v2 TCP4 + 5 TLVs, CRC-32C')

const ours: Contender<Refusal> = { name: 'proxyprotocol', notes: [], run: refuse }

const refusals: readonly Refusal[] = [
  {
    name: 'absent: an HTTP request',
    verdict: 'absent',
    bytes: latin1('GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n'),
  },
  { name: 'absent: differs in its sixth byte', verdict: 'absent', bytes: latin1('PROXYTCP4 192.0.2.1') },
  { name: 'invalid early: v1, protocol TCP5', verdict: 'invalid', bytes: replaced(v1, 'TCP4', 'TCP5') },
  { name: 'invalid early: v2, version 3', verdict: 'invalid', bytes: changed(v2, V2_VERSION_AT, 0x31) },
  { name: 'invalid midway: v1, octet 300', verdict: 'invalid', bytes: replaced(v1, '100', '300') },
  { name: 'invalid late: v1, CR without LF', verdict: 'invalid', bytes: changed(v1, v1.length - 1, 0x20) },
  {
    name: 'invalid late: v2 + 5 TLVs, wrong CRC-32C',
    verdict: 'invalid',
    bytes: changed(v2Tlvs, v2Tlvs.length - 1, 0),
  },
  { name: 'partial: v1, 6 bytes', verdict: 'partial', bytes: v1.subarray(0, 6) },
  { name: 'partial: v1, cut within an address', verdict: 'partial', bytes: v1.subarray(0, 18) },
  { name: 'partial: v1, all but the LF', verdict: 'partial', bytes: v1.subarray(0, -1) },
  { name: 'partial: v2, the fixed 16 bytes', verdict: 'partial', bytes: v2.subarray(0, V2_FIXED_BYTES) },
  { name: 'partial: v2 + 5 TLVs, all but one byte', verdict: 'partial', bytes: v2Tlvs.subarray(0, -1) },
]

/** Ours alone: a peer throws, or takes it for a header. */
export const refusalRows: readonly Row<Refusal>[] = refusals.map(refusal => ({
  task: 'refuse',
  name: refusal.name,
  inputs: [refusal],
  contenders: [ours],
  check: checkVerdict,
}))

function refuse({ bytes }: Refusal): void {
  keepVerdict(decodeHeader(bytes))
}

function headerOf(shape: Shape): Buffer {
  const [first] = samplesOf(shape)
  if (first === undefined) throw new Error(`no sample of ${shape}`)
  return first.bytes
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

function replaced(bytes: Buffer, from: string, to: string): Buffer {
  return latin1(bytes.toString('latin1').replace(from, to))
}

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = value
  return copy
}
