// The files of deploy/ that are made of others: the chart's README of its values, and the base of kustomize of the chart.

import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import prettier from 'prettier'
import { isMap, isScalar, parseDocument } from 'yaml'
import { root } from '../files.js'
import { chart, render } from './chart.js'

export const base = join(root, 'deploy', 'kustomize')

const MARK = '<!-- What follows is written by `npm run deploy:check -- --write`. -->'

/**
 * Writes both files, or throws if one is not what it should be.
 *
 * @param {boolean} write
 */
export async function generate(write) {
  const readme = join(chart, 'README.md')
  const [head = ''] = readFileSync(readme, 'utf8').split(MARK)
  await hold(readme, `${head}${MARK}\n\n${tableOfValues()}`, write)
  const note = '# Written by `npm run deploy:check -- --write`: the chart with its default values.\n'
  await hold(join(base, 'proxyprotocol-server.yaml'), note + render([]), write)
}

/**
 * @param {string} file
 * @param {string} content
 * @param {boolean} write
 */
async function hold(file, content, write) {
  const options = await prettier.resolveConfig(file)
  const text = await prettier.format(content, { ...options, filepath: file })
  if (write) writeFileSync(file, text)
  else if (readFileSync(file, 'utf8') !== text)
    throw new Error(`${relative(root, file)} is not up to date; run npm run deploy:check -- --write`)
}

/** Each key has its meaning in the comment above it. */
function tableOfValues() {
  const { contents, commentBefore } = parseDocument(readFileSync(join(chart, 'values.yaml'), 'utf8'))
  if (!isMap(contents)) throw new Error('values.yaml must be a map')
  const rows = contents.items.map(({ key, value }, index) => {
    if (!isScalar(key)) throw new Error('values.yaml must have strings as keys')
    const meaning = key.commentBefore ?? (index === 0 ? (contents.commentBefore ?? commentBefore) : undefined)
    if (!meaning) throw new Error(`values.yaml: ${String(key.value)} must have a comment above it, got none`)
    return `| \`${String(key.value)}\` | \`${JSON.stringify(value)}\` | ${meaning.trim()} |\n`
  })
  return `| value | default | meaning |\n| --- | --- | --- |\n${rows.join('')}`
}
