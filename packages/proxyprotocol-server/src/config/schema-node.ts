// The schema as JSON Schema, which unlike zod's own objects is plain data: messages, --help and the documentation are made
// from its nodes.

import { z } from 'zod'

/** What a number with this unit counts. */
export const UNITS = { ms: 'milliseconds', bytes: 'bytes' } as const

/** A part of a JSON Schema, as zod writes it; `unit`, `defaultIs`, `flag` and `short` are ours. */
export interface SchemaNode {
  readonly description?: string
  readonly default?: unknown
  readonly defaultIs?: string
  readonly unit?: keyof typeof UNITS
  readonly flag?: string
  readonly short?: string
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

/** The JSON Schema of what is written, not of what it is settled to. */
export function schemaNode(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: 'input' }) as SchemaNode // zod's documented output, and our own metadata
}

/** The node of what stands at a path; undefined where nothing can stand. */
export function nodeAt(root: SchemaNode, path: readonly PropertyKey[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = root
  for (const key of path) node = node && memberOf(node, key)
  return node
}

function memberOf(node: SchemaNode, key: PropertyKey): SchemaNode | undefined {
  const holder = [node, ...(node.anyOf ?? [])].find(({ items, properties }) => items ?? properties)
  return typeof key === 'number' ? holder?.items : holder?.properties?.[String(key)]
}
