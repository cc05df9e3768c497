// Encodes a query: a header and one question for the IPv4 addresses of a name, to a recursive server (RFC 1035 section
// 4.1).

/** The header of every message. */
export const HEADER_BYTES = 12

export const TYPE_A = 1
export const CLASS_IN = 1

/** Encodes a query for a checked name: ASCII labels of 1 to 63 characters, 253 characters together. */
export function encodeQuery(name: string, id: number): Uint8Array {
  const labels = name.split('.').flatMap(label => [label.length, ...Buffer.from(label, 'latin1')])
  const [recursionDesired, questions, end] = [[1, 0], [0, 1], 0]
  const otherSections = [0, 0, 0, 0, 0, 0]
  const header = [id >> 8, id & 0xff, ...recursionDesired, ...questions, ...otherSections]
  return Uint8Array.of(...header, ...labels, end, 0, TYPE_A, 0, CLASS_IN)
}
