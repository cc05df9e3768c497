// Bytes for people: two digits each, four for an offset, and a dot for other characters.

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, hexByte).join(' ')
}

export function plainHex(bytes: Uint8Array): string {
  return Array.from(bytes, hexByte).join('')
}

export function hexOffset(offset: number): string {
  return offset.toString(16).padStart(4, '0')
}

export function asciiOf(bytes: Uint8Array): string {
  return Array.from(bytes, byte => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
