// The keys of the configuration that options and environment variables set as well: those whose schema names a flag.

import { configSchema } from './schema/index.ts'
import { nodeAt, schemaNode, type SchemaNode } from './text/index.ts'

/** What the names of all environment variables of the programs begin with. */
export const VARIABLE_PREFIX = 'PROXYPROTOCOL_'

/** A key of the configuration that can be set from outside the file. */
export interface Setting {
  /** The option, without its dashes: `idle-timeout`. */
  readonly flag: string
  /** The environment variable: `PROXYPROTOCOL_IDLE_TIMEOUT`. */
  readonly variable: string
  /** Whether it is set for each service, with a path inside it; else for the program. */
  readonly ofService: boolean
  /** Keys from the outside in. */
  readonly path: readonly string[]
  readonly node: SchemaNode
}

/** All of them, in the order of the schema. */
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
