// Settings as arguments, environment variables and lines of `--help`.

import { type Setting, UNITS } from '../../config/index.ts'

const PLACEHOLDERS = { ms: '<duration>', bytes: '<size>' } as const

export function placeholderOf({ node }: Setting): readonly string[] {
  const { type, unit, enum: words, placeholder, bare } = node
  if (type === 'boolean') return []
  if (placeholder) return [bare === undefined ? `<${placeholder}>` : `[${placeholder}]`]
  if (words) return [`<${words.join('|')}>`]
  return [unit ? PLACEHOLDERS[unit] : '<count>']
}

export function helpOf({ node, variable }: Setting): string {
  const { description = '', type, unit, defaultIs = defaultOf(node) } = node
  const text = description.replace(/^./, first => first.toLowerCase()).replace(/\.$/, '')
  const details = [unit && `in ${UNITS[unit]}`, type !== 'boolean' && `default: ${defaultIs}`, variable]
  return `${text} (${details.filter(Boolean).join('; ')})`
}

function defaultOf({ default: value }: Setting['node']): string {
  return Array.isArray(value) && value.length === 0 ? 'none' : String(value)
}

export function jsonValue(text: string, { node }: Setting): unknown {
  if (node.type === 'array') return text.split(',').map(each => each.trim())
  const takes = typesOf(node)
  if (takes.includes('integer') && /^-?(?:0|[1-9]\d{0,15})$/.test(text)) return Number(text)
  if (takes.includes('boolean') && /^(?:true|false)$/.test(text)) return text === 'true'
  return text
}

function typesOf({ type, anyOf = [] }: Setting['node']): readonly unknown[] {
  return [type, ...anyOf.flatMap(typesOf)]
}
