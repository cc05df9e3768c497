// A setting as it stands in arguments, in the environment and in `--help`.

import { type Setting, UNITS } from '../../config/index.ts'

/** What stands for the value in `--help`; nothing for a setting that is on or off. */
export function placeholderOf({ node }: Setting): readonly string[] {
  const { type, unit, enum: words, placeholder, bare } = node
  if (type === 'boolean') return []
  if (placeholder) return [bare === undefined ? `<${placeholder}>` : `[${placeholder}]`]
  if (words) return [`<${words.join('|')}>`]
  return [`<${unit ?? 'count'}>`]
}

/** Its meaning, unit, default and environment variable, as the schema has them. */
export function helpOf({ node, variable }: Setting): string {
  const { description = '', type, unit, defaultIs = defaultOf(node) } = node
  const text = description.replace(/^./, first => first.toLowerCase()).replace(/\.$/, '')
  const details = [unit && `in ${UNITS[unit]}`, type !== 'boolean' && `default: ${defaultIs}`, variable]
  return `${text} (${details.filter(Boolean).join('; ')})`
}

/** An empty list would be shown as nothing at all. */
function defaultOf({ default: value }: Setting['node']): string {
  return Array.isArray(value) && value.length === 0 ? 'none' : String(value)
}

/** What a text from outside stands for in JSON; what it is not is left as text, and refused with what is wanted. */
export function jsonValue(text: string, { node }: Setting): unknown {
  if (node.type === 'array') return text.split(',').map(each => each.trim())
  const takes = [node, ...(node.anyOf ?? [])].map(({ type }) => type)
  if (takes.includes('integer') && /^-?(?:0|[1-9]\d{0,15})$/.test(text)) return Number(text)
  if (takes.includes('boolean') && /^(?:true|false)$/.test(text)) return text === 'true'
  return text
}
