// Rules about folders as a whole, which no rule on a single import can see: no cycle of imports, type-only ones included, and no
// folder too long to read.

import { readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import ts from 'typescript'

/** A longer listing tells no story. */
const MAX_FILES = 15

/** @type {Map<string, { at: number, imports: string[] }>} */
const known = new Map()

/**
 * The files that a file imports by a path. An editor lints the same file again, so that it is read again once it has changed.
 *
 * @param {string} file
 * @returns {string[]}
 */
function importsOf(file) {
  const at = statSync(file, { throwIfNoEntry: false })?.mtimeMs
  if (at === undefined) return []
  const before = known.get(file)
  if (before?.at === at) return before.imports
  const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'))
  const own = importedFiles.map(({ fileName }) => fileName).filter(name => name.startsWith('.'))
  const imports = own.map(name => join(dirname(file), name))
  known.set(file, { at, imports })
  return imports
}

/**
 * The way from one file to another along imports; undefined where there is none.
 *
 * @param {string} from
 * @param {string} to
 * @param {Set<string>} [seen]
 * @returns {string[] | undefined}
 */
function wayBetween(from, to, seen = new Set()) {
  if (from === to) return [from]
  if (seen.has(from)) return undefined
  seen.add(from)
  for (const next of importsOf(from)) {
    const way = wayBetween(next, to, seen)
    if (way) return [from, ...way]
  }
  return undefined
}

/** @type {import('eslint').Rule.RuleModule} */
export const noCycles = {
  create: context => ({
    'ImportDeclaration, ExportNamedDeclaration[source], ExportAllDeclaration'(
      /** @type {import('estree').ImportDeclaration} */ node,
    ) {
      const { value } = node.source
      if (typeof value !== 'string' || !value.startsWith('.')) return
      const way = wayBetween(join(dirname(context.filename), value), context.filename)
      if (way)
        context.report({ node, message: `This closes a cycle of imports: ${way.map(nameOf).join(' -> ')}.` })
    },
  }),
}

/** @type {import('eslint').Rule.RuleModule} */
export const smallFolders = {
  create: context => ({
    Program(node) {
      const folder = dirname(context.filename)
      const sources = readdirSync(folder).filter(name => name.endsWith('.ts') && name !== 'index.ts')
      if (sources.length <= MAX_FILES || basename(context.filename) !== [...sources].sort().at(-1)) return
      const message = `This folder has ${sources.length} files beside its index.ts, and may have ${MAX_FILES}: make folders in it.`
      context.report({ node, message })
    },
  }),
}

/** @param {string} file */
function nameOf(file) {
  return `${basename(dirname(file))}/${basename(file)}`
}
