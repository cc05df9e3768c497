// Turns pasted input into bytes, in the named format or a recognised one.

import { ConfigError } from '../../config/index.ts'
import { base64Bytes, bytesFromText, dumpBytes, hexBytes } from '../../explain/index.ts'

export const inputFormats = ['auto', 'hex', 'base64', 'raw'] as const

export type InputFormat = (typeof inputFormats)[number]

type Tell = (note: string) => void

export function bytesOfText(text: string, format: InputFormat, tell: Tell): Uint8Array {
  if (format === 'raw') return Buffer.from(text)
  if (format === 'auto') return autoBytes(text, tell) ?? Buffer.from(text)
  const bytes = format === 'hex' ? (dumpBytes(text) ?? hexBytes(text)) : base64Bytes(text)
  if (bytes) return bytes
  const wanted = format === 'hex' ? 'hexadecimal, in pairs of digits' : format
  throw new ConfigError(
    `the input must be ${wanted}, got ${JSON.stringify(text.slice(0, 40))}; ` +
      'a file is read with --file, and standard input with -',
  )
}

export function bytesOfFile(content: Uint8Array, format: InputFormat, tell: Tell): Uint8Array {
  if (format === 'raw') return content
  const text = Buffer.from(content).toString('latin1')
  if (format !== 'auto') return bytesOfText(text.trim(), format, tell)
  const isDigits = /^[\s:,0-9a-f]*$/i.test(text)
  const hex = dumpBytes(text) ?? (isDigits ? autoBytes(text.trim(), tell) : hexBytes(text))
  return hex && hex.length > 0 ? hex : content
}

function autoBytes(text: string, tell: Tell): Uint8Array | undefined {
  const read = bytesFromText(text)
  if (read?.halfByte) tell(`read as ${read.format}, but for a last digit that has no other`)
  return read?.bytes
}
