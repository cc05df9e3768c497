// Text from the network is escaped, so that it cannot forge lines, colours or cursor movements.

import type { AddressInfo } from 'node:net'
import type { Endpoint } from 'proxyprotocol'
import { formatHostPort } from '../config/index.ts'

export type LogValue = string | number | boolean | bigint | Uint8Array | undefined

const MAX_LOGGED_BYTES = 64

/** What a pipe takes in one piece (PIPE_BUF), line end included: no header floods a log, and no two lines mix. */
export const MAX_LINE_LENGTH: number = 4_095

export const PLAIN_WORD: RegExp = /^[\w.:/@+[\]-]+$/

export type LogFields = readonly (readonly [key: string, value: LogValue])[]

export function formatLine(time: Date, event: string, fields: LogFields): string {
  let line = `${time.toISOString()} ${event}`
  for (const [key, value] of fields) if (value !== undefined) line += ` ${key}=${show(value)}`
  return line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH - 3)}...` : line
}

export function showEndpoint(endpoint: Endpoint | undefined): string | Uint8Array {
  if (endpoint === undefined) return 'unknown'
  return 'path' in endpoint ? endpoint.path : formatHostPort(endpoint.address, endpoint.port)
}

export function showAddress(address: AddressInfo | string): string | Uint8Array {
  return typeof address === 'string' ? address : showEndpoint(address)
}

function show(value: Exclude<LogValue, undefined>): string {
  if (typeof value === 'number') return String(value)
  if (value instanceof Uint8Array) return hexOf(value)
  const text = String(value)
  return PLAIN_WORD.test(text) ? text : quoted(text)
}

export function hexOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.subarray(0, MAX_LOGGED_BYTES)).toString('hex')
  return bytes.length > MAX_LOGGED_BYTES ? `0x${hex}...(${String(bytes.length)} bytes)` : `0x${hex}`
}

/** JSON escapes neither all control characters nor letters that reorder a line. */
export function quoted(text: string): string {
  return asciiOnly(JSON.stringify(text))
}

/** Inside strings an escape means the same. */
export function asciiOnly(json: string): string {
  return json.replace(/[^ -~]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
