// Writes what follows from the configuration's schema: config.schema.json of the programs, and the tables of docs/config.md
// below its mark.
//
// npm run docs:config                     writes both
// node scripts/config-docs.js --check     only says whether they are as they would be written

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { format, resolveConfig } from 'prettier'
import {
  configSchema,
  publishedSchema,
  schemaNode,
  UNITS,
  wanted,
} from '../packages/proxyprotocol-server/dist/config/index.js'
import { root } from './files.js'

/** @typedef {import('../packages/proxyprotocol-server/dist/config/index.js').SchemaNode} SchemaNode */

const page = join(root, 'docs/config.md')
const schema = join(root, 'packages/proxyprotocol-server/config.schema.json')
const mark = '<!-- What follows is written by `npm run docs:config`. -->\n'

const [intro = ''] = readFileSync(page, 'utf8').split(mark)
const outcomes = [
  await write(schema, JSON.stringify(publishedSchema())),
  await write(page, `${intro}${mark}\n${section(schemaNode(configSchema))}`),
]
process.exitCode = outcomes.includes(false) ? 1 : 0

/**
 * Writes a file as prettier wants it, or says whether it is there already.
 *
 * @param {string} file
 * @param {string} text
 */
async function write(file, text) {
  const formatted = await format(text, { ...(await resolveConfig(file)), filepath: file })
  if (!process.argv.includes('--check')) {
    writeFileSync(file, formatted)
    return true
  }
  if (readFileSync(file, 'utf8') === formatted) return true
  console.error(`${file} is not what follows from the schema: npm run docs:config`)
  return false
}

/**
 * A table of an object's keys, and those of the objects in it.
 *
 * @param {SchemaNode} node
 * @param {string} [path] where the object is; empty for the whole file
 * @returns {string}
 */
function section(node, path = '') {
  const { properties = {}, required = [] } = node
  const entries = Object.entries(properties)
  const rows = entries.map(([key, each]) => row(key, each, required.includes(key)))
  const described = entries.filter(([key]) => key !== 'defaults') // its keys are those of a service
  const inner = described.flatMap(([key, each]) =>
    objectsIn(each, [path, key].filter(Boolean).join('.')).map(([place, object]) => section(object, place)),
  )
  const head = ['key', 'takes', 'unit', 'default', 'meaning', 'option']
  const lines = [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`)
  return [`### ${path === '' ? 'The file' : `\`${path}\``}\n`, `${lines.join('\n')}\n`, ...inner].join('\n')
}

/**
 * The objects with keys that may stand at a place, alone, in a list, or as one of several alternatives.
 *
 * @param {SchemaNode} node
 * @param {string} path
 * @returns {[path: string, node: SchemaNode][]}
 */
function objectsIn(node, path) {
  if (node.sameAs) return [] // its table stands there
  if (node.properties) return [[path, node]]
  if (node.items) return objectsIn(node.items, `${path}[]`)
  return (node.anyOf ?? []).flatMap(each => objectsIn(each, path))
}

/**
 * @param {string} key
 * @param {SchemaNode} node
 * @param {boolean} isRequired
 */
function row(key, node, isRequired) {
  const { unit, ...takes } = node
  const { description = '', flag } = node
  const cells = [
    `\`${key}\``,
    node.sameAs ? `as \`${node.sameAs}\`` : wanted(takes),
    unit ? UNITS[unit] : '',
    isRequired ? 'required' : defaultOf(node),
    description,
    flag ? `\`--${flag}\`` : '',
  ]
  return cells.map(cell => cell.replaceAll('|', '\\|'))
}

/** @param {SchemaNode} node */
function defaultOf({ default: value, defaultIs, properties }) {
  if (defaultIs !== undefined) return defaultIs
  if (value === undefined || properties) return ''
  return `\`${JSON.stringify(value)}\``
}
