// The keys that options and environment variables can set: those whose schema names a flag.

import { configSchema } from './schema/index.ts'
import { nodeAt, schemaNode, type SchemaNode } from './text/index.ts'

export const VARIABLE_PREFIX = 'PROXYPROTOCOL_'

export interface Setting {
  readonly flag: string
  readonly variable: string
  readonly ofService: boolean
  readonly path: readonly string[]
  readonly node: SchemaNode
}

export function settings(): readonly Setting[] {
  const root = schemaNode(configSchema)
  return [...flagged(root, []), ...flagged(nodeAt(root, ['services', 0]), [], true)]
}

function flagged(node: SchemaNode, path: readonly string[], ofService = false): readonly Setting[] {
  if (node.sameAs) return [] // a flag sets the key of the service
  const { flag, properties = {} } = node
  const keys = Object.entries(properties).filter(([key]) => key !== 'defaults') // as those of a service
  const inner = keys.flatMap(([key, each]) => flagged(each, [...path, key], ofService))
  if (flag === undefined) return inner
  const variable = VARIABLE_PREFIX + flag.toUpperCase().replaceAll('-', '_')
  return [{ flag, variable, ofService, path, node }]
}
