// The vectors that the package publishes, and hexadecimal as they write it.

export {
  vectorFiles,
  type Expected,
  type ExpectedHeader,
  type Vector,
  type VectorEndpoint,
} from '../../src/vectors/index.ts'

/** Bytes that own their memory, as a file or a test would hold them. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
