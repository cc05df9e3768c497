// The section `tlvs` of a service: the operator's own TLVs for upstreams.

import { z } from 'zod'
import { bytesOf, nearest } from '../text/index.ts'
import { meta } from './keys.ts'

/** Types for applications (specification section 2.2.8). */
const FIRST = 0xe0
const LAST = 0xef

const FACTS = ['sni', 'alpn', 'peer', 'service'] as const

/** Server name, protocol, the other end of the socket, and the service's name. */
export type TlvFact = (typeof FACTS)[number]

/** The operator's own TLV, with its bytes. */
export type OwnTlv =
  { readonly type: number; readonly value: Uint8Array } | { readonly type: number; readonly fact: TlvFact }

/** By type, such as `0xE1`: `text:TEXT`, `hex:BYTES` or `fact:NAME`. */
export type OwnTlvsInit = Readonly<Record<string, string>>

const FORMS = `"text:edge", "hex:00ff" or one of ${FACTS.map(fact => `"fact:${fact}"`).join(', ')}`

export const tlvsSchema: z.ZodType<readonly OwnTlv[], OwnTlvsInit | undefined> = z
  .record(z.string(), z.string())
  .default({})
  .transform((written, { issues }) => {
    const seen = new Set<number>()
    return Object.entries(written).flatMap(([key, text]) => {
      const type = /^(?:0x[0-9a-f]{2}|2\d\d)$/i.test(key) ? Number(key) : NaN // YAML reads 0xE1 as 225
      const twice = seen.has(type) ? 'must stand once, got it twice' : undefined
      seen.add(type)
      const tlv = typeProblem(key, type) ?? twice ?? tlvOf(type, text)
      if (typeof tlv === 'object') return [tlv]
      issues.push({ code: 'custom', message: tlv, path: [key], input: text })
      return []
    })
  })
  .meta(
    meta({
      description:
        'TLVs of your own in the version 2 header of an upstream, by type from "0xE0" to "0xEF": `text:TEXT`, `hex:BYTES`, or ' +
        '`fact:sni`, `alpn`, `peer` or `service`. They replace those of an inbound header with the same type.',
    }),
  )

function typeProblem(key: string, type: number): string | undefined {
  if (type >= FIRST && type <= LAST) return undefined
  const known = Array.from({ length: LAST - FIRST + 1 }, (_, at) => nameOf(FIRST + at))
  const meant = nearest(key, known)
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`
  return `must be a type from "0xE0" to "0xEF", got ${JSON.stringify(key)}${hint}`
}

function nameOf(type: number): string {
  return `0x${type.toString(16).toUpperCase()}`
}

function tlvOf(type: number, text: string): OwnTlv | string {
  const [, written] = /^fact:(.+)$/su.exec(text) ?? []
  if (written !== undefined) {
    const fact = FACTS.find(each => each === written)
    if (fact !== undefined) return { type, fact }
    const meant = nearest(written, FACTS)
    return `must be ${FORMS}, got ${JSON.stringify(text)}${meant === undefined ? '' : `; did you mean "fact:${meant}"?`}`
  }
  const value = bytesOf(text, FORMS)
  return typeof value === 'string' ? value : { type, value }
}
