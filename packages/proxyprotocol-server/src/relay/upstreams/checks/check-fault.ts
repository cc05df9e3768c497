// A check whose upstream answers wrongly, or not at all.

/** Longer answers are cut in messages. */
const MAX_SHOWN = 80

export class CheckFault extends Error {
  override readonly name = 'CheckFault'
  readonly code = 'check_failed'
}

/** @param got in words; bytes of the upstream only through {@link quote}. */
export function mismatch(expected: string, got: string): CheckFault {
  return new CheckFault(`expected ${expected}, got ${got}`)
}

/** Bytes of the upstream as printable text. */
export function quote(bytes: Buffer | string): string {
  const text = bytes.toString('latin1')
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text)
}
