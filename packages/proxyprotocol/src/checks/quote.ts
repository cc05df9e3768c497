// Shows a caller's wrong value in an error message, told apart from the right one and never long.

/** Enough to recognise any address, name or id. */
const MAX_QUOTED = 80

/** Text in quotes (`'443'` is not `443`), lists by their items, other objects by their keys. */
export function quote(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, MAX_QUOTED))
  if (typeof value === 'bigint') return `${String(value)}n`
  if (Array.isArray(value)) return `[${value.slice(0, MAX_QUOTED).map(quote).join(', ')}]`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  if (ArrayBuffer.isView(value)) return `${String(value.byteLength)} bytes`
  return `{ ${Object.keys(value).join(', ')} }`
}
