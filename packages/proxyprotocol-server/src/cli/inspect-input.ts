// What a person pastes becomes bytes: hexadecimal in any of the ways that tools print it, base64, or bytes as they are.

import { ConfigError } from '../config/index.ts'

export const inputFormats = ['auto', 'hex', 'base64', 'raw'] as const

export type InputFormat = (typeof inputFormats)[number]

/** Digits in pairs, perhaps after `0x` or `\x`, with blanks, colons and commas between them. */
const HEX = /^(?:\s|:|,|0x|\\x|[0-9a-f]{2})*$/i
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/

/**
 * The bytes of an argument: hexadecimal if it can be that, else base64.
 *
 * @throws ConfigError when it is not in its format.
 */
export function bytesOfText(text: string, format: InputFormat): Uint8Array {
  if (format === 'raw') return Buffer.from(text)
  const compact = text.replace(/\s/g, '')
  if (format !== 'base64' && HEX.test(text)) return Buffer.from(text.replace(/0x|\\x|[^0-9a-f]/gi, ''), 'hex')
  if (format !== 'hex' && BASE64.test(compact)) return Buffer.from(compact, 'base64')
  const wanted = format === 'auto' ? 'hexadecimal nor base64' : `not ${format}`
  throw new ConfigError(
    `the input is ${format === 'auto' ? 'neither ' : ''}${wanted}: ${JSON.stringify(text.slice(0, 40))}; ` +
      'a file is read with --file, and standard input with -',
  )
}

/** A file or standard input: bytes as they are, unless all of it is hexadecimal text, as from `xxd -p`. */
export function bytesOfFile(content: Uint8Array, format: InputFormat): Uint8Array {
  if (format === 'raw') return content
  const text = Buffer.from(content).toString('latin1')
  if (format !== 'auto') return bytesOfText(text.trim(), format)
  return HEX.test(text) && /[0-9a-f]/i.test(text) ? bytesOfText(text, 'hex') : content
}
