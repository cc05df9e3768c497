// Strict text inside headers.

import { byteAt } from './bytes.ts'
import { quote } from '../checks/index.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** V8 keeps arrays up to this size in its heap, and moves them out for a native decoder. */
const MAX_HEAP_BYTES = 64
const outside = new ArrayBuffer(MAX_HEAP_BYTES)
const windows = Array.from({ length: MAX_HEAP_BYTES + 1 }, (_, length) => new Uint8Array(outside, 0, length))

export function utf8Text(bytes: Uint8Array): string | undefined {
  const window = windows[bytes.length]
  window?.set(bytes)
  try {
    return decoder.decode(window ?? bytes)
  } catch {
    return undefined
  }
}

export function asciiText(bytes: Uint8Array): string | undefined {
  for (let i = 0; i < bytes.length; i++) if (byteAt(bytes, i) > 0x7f) return undefined
  return utf8Text(bytes)
}

export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Refuses half a surrogate pair, which UTF-8 cannot express. */
export function textBytes(text: string, field: string): Uint8Array {
  if (typeof text !== 'string' || /\p{Surrogate}/u.test(text)) {
    throw new TypeError(`${field} must be text, got ${quote(text)}`)
  }
  return encoder.encode(text)
}

export function asciiBytes(text: string, field: string): Uint8Array {
  const bytes = textBytes(text, field)
  if (bytes.length !== text.length) throw new TypeError(`${field} must be US-ASCII text, got ${quote(text)}`)
  return bytes
}

export function bytesOrText(value: string | Uint8Array, field: string): Uint8Array {
  if (typeof value === 'string') return textBytes(value, field)
  if (value instanceof Uint8Array) return value
  throw new TypeError(`${field} must be text or a Uint8Array, got ${quote(value)}`)
}
