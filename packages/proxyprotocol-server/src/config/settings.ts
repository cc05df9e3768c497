// The keys that options and environment variables can set: those whose schema names a flag.

import { configSchema } from './schema/index.ts'
import { nodeAt, schemaNode, type SchemaNode } from './text/index.ts'

/** The prefix of the programs' environment variables. */
export const VARIABLE_PREFIX = 'PROXYPROTOCOL_'

/** A key that can be set outside the file. */
export interface Setting {
  /** The option without its dashes: `idle-timeout`. */
  readonly flag: string
  /** The environment variable: `PROXYPROTOCOL_IDLE_TIMEOUT`. */
  readonly variable: string
  /** True if it is a key of each service, false for one of the program. */
  readonly ofService: boolean
  /** Keys from the outside in. */
  readonly path: readonly string[]
  readonly node: SchemaNode
}

/** In the order of the schema. */
export function settings(): readonly Setting[] {
  const root = schemaNode(configSchema)
  return [...flagged(root, []), ...flagged(nodeAt(root, ['services', 0]), [], true)]
}

function flagged(node: SchemaNode, path: readonly string[], ofService = false): readonly Setting[] {
  const { flag, properties = {} } = node
  const inner = Object.entries(properties).flatMap(([key, each]) => flagged(each, [...path, key], ofService))
  if (flag === undefined) return inner
  const variable = VARIABLE_PREFIX + flag.toUpperCase().replaceAll('-', '_')
  return [{ flag, variable, ofService, path, node }]
}
