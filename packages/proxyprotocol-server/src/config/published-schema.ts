// The JSON Schema shipped as config.schema.json, for editors and other checks.

import { z } from 'zod'
import { configSchema } from './schema/index.ts'
import { type SchemaNode, UNITS } from './text/index.ts'

const DRAFT = 'http://json-schema.org/draft-07/schema#'

/** Our own keywords, which become words. */
const OWN: readonly string[] = ['unit', 'defaultIs', 'sameAs', 'flag', 'short', 'placeholder', 'bare']

export function publishedSchema(): object {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' })
  const title = 'Configuration of proxyprotocol-server'
  return { $schema: DRAFT, title, ...inWords(schema as SchemaNode) } // zod's output, with our metadata
}

/** What a section of a route does not set is as its service has it. */
function inWords(node: SchemaNode, isOfRoute = false): object {
  const { description = '', unit, sameAs, properties, items, anyOf } = node
  const defaultIs = isOfRoute ? '' : node.defaultIs
  const isKept = (key: string, value: unknown): boolean =>
    !OWN.includes(key) && value !== Number.MAX_SAFE_INTEGER && !(key === 'default' && defaultIs !== undefined)
  const inner = (each: SchemaNode): object => inWords(each, sameAs !== undefined)
  const unitText = unit ? ` In ${UNITS[unit]}.` : ''
  const defaultText = defaultIs ? ` Default: ${defaultIs}.` : ''
  return {
    ...Object.fromEntries(Object.entries(node).filter(([key, value]) => isKept(key, value))),
    ...(unitText || defaultText ? { description: `${description}${unitText}${defaultText}` } : {}),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, inner(each)])),
    }),
    ...(items && { items: inner(items) }),
    ...(anyOf && { anyOf: anyOf.map(inner) }),
  }
}
