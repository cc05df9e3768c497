// The schema as JSON Schema, plain data from which messages, --help and documentation are made.

import { z } from 'zod'

export const UNITS = { ms: 'milliseconds', bytes: 'bytes' } as const

export interface SchemaNode {
  readonly description?: string
  readonly default?: unknown
  readonly defaultIs?: string
  readonly unit?: keyof typeof UNITS | undefined
  readonly flag?: string
  readonly placeholder?: string
  readonly bare?: string
  readonly short?: string
  readonly sameAs?: string
  readonly examples?: readonly unknown[]
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
}

export function schemaNode(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: 'input' }) as SchemaNode // zod's documented output, and our own metadata
}

export function nodeAt(root: SchemaNode, path: readonly PropertyKey[]): SchemaNode {
  return path.reduce(memberOf, root)
}

export function keysOf(node: SchemaNode): readonly string[] {
  return alternatives(node).flatMap(({ properties = {} }) => Object.keys(properties))
}

export function wordsOf(node: SchemaNode): readonly string[] {
  return alternatives(node)
    .flatMap(each => [each.const, ...(each.enum ?? [])])
    .filter(each => typeof each === 'string')
}

function memberOf(node: SchemaNode, key: PropertyKey): SchemaNode {
  const found = alternatives(node).map(({ items, properties }) =>
    typeof key === 'number' ? items : properties?.[String(key)],
  )
  return found.find(each => each !== undefined) ?? {}
}

function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return [node, ...(node.anyOf ?? []).flatMap(alternatives)]
}
