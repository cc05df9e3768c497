/** Far below a header's 64 KiB. */
const MAX_BYTES = 1_024

/**
 * The bytes of `text:TEXT` or `hex:BYTES`, or what is wrong.
 *
 * @param forms what the text may be, in words.
 */
export function bytesOf(written: string, forms: string): Uint8Array | string {
  const [, form, text = ''] = /^(text|hex):(.+)$/su.exec(written) ?? []
  const isHex = form === 'hex' && /^(?:[0-9a-f]{2})+$/i.test(text)
  if (form !== 'text' && !isHex) return `must be ${forms}, got ${JSON.stringify(written)}`
  const bytes = new Uint8Array(Buffer.from(text, isHex ? 'hex' : 'utf8'))
  if (bytes.length <= MAX_BYTES) return bytes
  return `must have at most ${String(MAX_BYTES)} bytes, got ${String(bytes.length)}`
}
