// What the Helm chart makes of its values: the defaults, and each file of deploy/helm/examples.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { root } from '../files.js'
import { helm } from './tools.js'

/** @typedef {{ apiVersion: string, kind: string, metadata: { name: string }, data?: Record<string, string> }} Manifest */

export const chart = join(root, 'deploy', 'helm')

/** The name of what is rendered. */
export const RELEASE = 'proxyprotocol-server'
const examples = join(chart, 'examples')

/** The arguments of helm for each documented set of values, by its name. */
export function valueSets() {
  const files = readdirSync(examples).sort()
  const entries = files.map(file => [`examples/${file}`, ['--values', join(examples, file)]])
  return /** @type {Record<string, string[]>} */ (Object.fromEntries([['values.yaml', []], ...entries]))
}

/** @param {string[]} values */
export function lint(values) {
  helm('lint', '--strict', ...values, chart)
}

/** @param {string[]} values */
export function render(values) {
  return helm('template', RELEASE, chart, ...values)
}

/**
 * @param {string} text
 * @returns {Manifest[]}
 */
export function manifestsOf(text) {
  return parseAllDocuments(text).map(document => {
    const [fault] = document.errors
    if (fault) throw fault
    return /** @type {Manifest} */ (document.toJS())
  })
}
