// Runs all tests under c8 and demands 100 % of every source file, also of those that no test loads.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { spawnSync } from 'node:child_process'
import ts from 'typescript'
import { filesMatching, root } from './files.js'

const sources = filesMatching(/^packages\/[^/]+\/src\/.*\.ts$/)

/**
 * Whether nothing of a file is left at run time: a file of types is never loaded, so c8 would call it uncovered.
 *
 * @param {string} file
 */
function isTypesOnly(file) {
  const { outputText } = ts.transpileModule(readFileSync(join(root, file), 'utf8'), {
    compilerOptions: { target: ts.ScriptTarget.ES2023, removeComments: true, verbatimModuleSyntax: true },
  })
  return outputText.trim() === 'export {};'
}

const options = [
  ['--all', '--100', '--skip-full', '--reporter=text', '--reporter=lcovonly'],
  ['--include', 'packages/*/src/**/*.ts'],
  sources.filter(isTypesOnly).flatMap(file => ['--exclude', file]),
].flat()
const { status } = spawnSync('c8', [...options, process.execPath, join('scripts', 'test.js')], {
  cwd: root,
  stdio: 'inherit',
})
process.exitCode = status ?? 1
