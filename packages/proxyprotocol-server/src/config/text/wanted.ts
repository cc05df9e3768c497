// Describes what a key takes, from its JSON Schema.

import { type SchemaNode, UNITS } from './schema-node.ts'

export function wanted(node: SchemaNode): string {
  if (node.anyOf) return node.anyOf.map(each => wanted({ ...each, unit: node.unit })).join(' or ')
  if (node.const !== undefined) return JSON.stringify(node.const)
  if (node.enum) return `one of ${node.enum.map(each => JSON.stringify(each)).join(', ')}`
  return plain(node)
}

function plain({ type, unit, minimum = 0, maximum = Infinity, items, examples = [] }: SchemaNode): string {
  if (type === 'object') return 'an object'
  if (type === 'array') return `a list, each ${wanted(items ?? {})}`
  if (type === 'boolean') return 'true or false'
  if (type === 'integer') {
    const bounds = maximum >= Number.MAX_SAFE_INTEGER ? '' : ` to ${String(maximum)}`
    return `an integer from ${String(minimum)}${bounds}${unit ? ` (${UNITS[unit]})` : ''}`
  }
  if (examples.length === 0) return 'a string'
  return `a string such as ${examples.map(each => JSON.stringify(each)).join(' or ')}`
}
