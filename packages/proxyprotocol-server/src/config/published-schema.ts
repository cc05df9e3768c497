import { z } from 'zod'
import { configSchema } from './schema/index.ts'
import { type SchemaNode, UNITS } from './text/index.ts'

const DRAFT = 'http://json-schema.org/draft-07/schema#'

type Json = z.core.JSONSchema.BaseSchema

export function publishedSchema(): Json {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      inWords(jsonSchema)
    },
  })
  return { $schema: DRAFT, title: 'Configuration of proxyprotocol-server', ...schema }
}

function inWords(schema: Json): void {
  const { description = '', unit, defaultIs } = schema as SchemaNode // zod's output, with our metadata
  const unitText = unit ? ` In ${UNITS[unit]}.` : ''
  const defaultText = defaultIs === undefined ? '' : ` Default: ${defaultIs}.`
  if (unitText || defaultText) schema.description = `${description}${unitText}${defaultText}`
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  delete schema['unit']
  delete schema['defaultIs']
  delete schema['flag']
  delete schema['short']
  delete schema['placeholder']
  delete schema['bare']
}
