// What takes part: the rows of the tables, and the contenders of each row.

/** One implementation at one task. */
export interface Contender<Input> {
  readonly name: string
  /** Keys of `footnotes`: what it does not do. */
  readonly notes: readonly Note[]
  /** Does the task once and delivers the result to the sink. */
  readonly run: (input: Input) => void
}

/** One task for several contenders, ours first. */
export interface Row<Input> {
  readonly task: 'decode' | 'stream' | 'encode' | 'refuse'
  readonly name: string
  readonly inputs: readonly Input[]
  readonly contenders: readonly Contender<Input>[]
  /** Throws where the sink does not hold what the input must give. */
  readonly check: (input: Input, by: string) => void
}

export const footnotes = {
  a: 'proxy-protocol-js takes any text for an address and any number for a port, and has no limit for the line.',
  b: 'The line made a string by `buffer.toString("latin1")` and given to `V1ProxyProtocol`; the row above gives the bytes to `V1BinaryProxyProtocol`.',
  c: 'For v2 proxy-protocol-js gives arrays of octets; "as text" joins them, IPv6 not in canonical form.',
  d: 'No peer reads the TLVs or checks the CRC-32C; proxy-protocol-js hands them out as payload.',
  e: '@balena/proxy-protocol-parser with `validate`: signature, family and line end are looked at; addresses, ports and lengths are not, nothing tells where the header ends, and IPv6 text is not always canonical.',
  f: 'For v2 proxy-protocol-js takes arrays of octets; "from text" splits IPv4 text, for IPv6 text it has nothing. Neither peer checks what it is given.',
  g: '@balena/proxy-protocol-parser writes v2 headers that say LOCAL and have their length in the wrong byte (3072 for 12), so that no receiver gets the addresses. Its time is shown all the same.',
  h: 'No peer writes TLVs with a right length or computes a CRC-32C: those of the mixed row go without.',
  i: 'go-proxyproto: `Read` from a `bufio.Reader` that is used again, both addresses as text; it reads no TLV and checks no CRC-32C. In a process of its own, in turn with ours.',
} as const

export type Note = keyof typeof footnotes
