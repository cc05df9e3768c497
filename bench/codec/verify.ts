// Before anything is timed: every contender must have given the right addresses and ports for every input.

import assert from 'node:assert/strict'

import { parseAddress } from '../../packages/proxyprotocol/src/codec/index.ts'
import type { Row } from './contender.ts'
import type { Refusal } from './refusals.ts'
import type { Connection, Sample } from './samples.ts'
import { last } from './sink.ts'

const ADDRESSES_AT = 16

/** @throws AssertionError naming the row and the contender that gave something wrong. */
export function verify<Input>({ task, name, inputs, contenders, check }: Row<Input>): void {
  for (const contender of contenders) {
    for (const input of inputs) {
      contender.run(input)
      check(input, `${task} ${name}, ${contender.name}`)
    }
  }
}

/** What was decoded: addresses as text in any legal form, or as octets. */
export function checkEnds({ connection }: Sample, by: string): void {
  const { sourceOctets, destinationOctets, sourcePort, destinationPort } = connection
  const got = [octetsOf(last.source), octetsOf(last.destination), last.sourcePort, last.destinationPort]
  assert.deepEqual(got, [sourceOctets, destinationOctets, sourcePort, destinationPort], by)
}

/** What was encoded: the whole line of version 1, the address block of version 2. */
export function checkBytes(connection: Connection, by: string): void {
  const { version, v6, source, destination, sourcePort, destinationPort } = connection
  const bytes = Buffer.from(last.bytes)
  if (version === 1) {
    const line = `PROXY TCP${v6 ? '6' : '4'} ${source} ${destination} ${String(sourcePort)} ${String(destinationPort)}\r\n`
    assert.equal(bytes.toString('latin1'), line, by)
    return
  }
  const octets = [...connection.sourceOctets, ...connection.destinationOctets]
  const ports = [sourcePort, destinationPort].flatMap(port => [port >> 8, port & 0xff])
  const block = [...octets, ...ports]
  assert.deepEqual([...bytes.subarray(ADDRESSES_AT, ADDRESSES_AT + block.length)], block, by)
}

export function checkVerdict({ verdict }: Refusal, by: string): void {
  assert.equal(last.verdict.status, verdict, by)
}

function octetsOf(address: string | readonly number[]): readonly number[] {
  return typeof address === 'string' ? [...(parseAddress(address) ?? [])] : address
}
