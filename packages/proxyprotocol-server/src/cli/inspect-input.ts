// What a person pastes becomes bytes: in any format that is known, or in the one that is named.

import { ConfigError } from '../config/index.ts'
import { base64Bytes, bytesFromText, dumpBytes, hexBytes } from '../explain/index.ts'

export const inputFormats = ['auto', 'hex', 'base64', 'raw'] as const

export type InputFormat = (typeof inputFormats)[number]

/**
 * The bytes of an argument: hexadecimal if it can be that, a dump, text with escapes, a version 1 line, else base64.
 *
 * @throws ConfigError when it is not in its format.
 */
export function bytesOfText(text: string, format: InputFormat): Uint8Array {
  if (format === 'raw') return Buffer.from(text)
  const bytes =
    format === 'hex'
      ? (dumpBytes(text) ?? hexBytes(text))
      : format === 'base64'
        ? base64Bytes(text)
        : autoBytes(text)
  if (bytes) return bytes
  const wanted = format === 'auto' ? 'neither hexadecimal nor base64' : `not ${format}`
  throw new ConfigError(
    `the input is ${wanted}: ${JSON.stringify(text.slice(0, 40))}; ` +
      'a file is read with --file, and standard input with -',
  )
}

/** A file or standard input: bytes as they are, unless all of it is hexadecimal text, as from `xxd -p`, or a dump. */
export function bytesOfFile(content: Uint8Array, format: InputFormat): Uint8Array {
  if (format === 'raw') return content
  const text = Buffer.from(content).toString('latin1')
  if (format !== 'auto') return bytesOfText(text.trim(), format)
  const hex = dumpBytes(text) ?? hexBytes(text)
  return hex && hex.length > 0 ? hex : content
}

function autoBytes(text: string): Uint8Array | undefined {
  const read = bytesFromText(text)
  if (read?.halfByte) {
    throw new ConfigError(
      `the input has an odd number of hexadecimal digits: ${JSON.stringify(text.slice(-40))} lacks one at its end`,
    )
  }
  return read?.bytes
}
