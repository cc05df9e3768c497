// Encodes a query for a name's IPv4 addresses (RFC 1035 section 4.1).

export const HEADER_BYTES = 12

export const TYPE_A = 1
export const CLASS_IN = 1

/** The caller has checked the name. */
export function encodeQuery(name: string, id: number): Uint8Array {
  const labels = name.split('.').flatMap(label => [label.length, ...Buffer.from(label, 'latin1')])
  const [recursionDesired, questions, end] = [[1, 0], [0, 1], 0]
  const otherSections = [0, 0, 0, 0, 0, 0]
  const header = [id >> 8, id & 0xff, ...recursionDesired, ...questions, ...otherSections]
  return Uint8Array.of(...header, ...labels, end, 0, TYPE_A, 0, CLASS_IN)
}
