// Builds the documentation site in dist/site, or in the folder that the first argument names: README as its front page, the pages that README lists, the API reference of both
// packages, and those pages of the programs that need no program behind them. It works from the disk and offline. Fails where a
// link or an anchor in it leads nowhere, and where the reference leaves out a public symbol.

import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { root } from './files.js'
import { contents } from './site/contents.js'
import { deadLinks } from './site/links.js'
import { configure } from './site/reference.js'

const [site = join(root, 'dist', 'site')] = process.argv.slice(2)
const web = join(root, 'packages', 'proxyprotocol-server', 'dist', 'web')
/** It shows what its admin listener tells. */
const NEEDS_A_PROGRAM = ['status.html']

const tools = readdirSync(web).filter(file => !NEEDS_A_PROGRAM.includes(file))
const app = await configure(contents(), Object.fromEntries(tools.map(file => [titleOf(file), file])))
const project = await app.convert()
if (project !== undefined) {
  app.validate(project)
  await app.generateDocs(project, site)
}
for (const file of tools) copyFileSync(join(web, file), join(site, file))

const { links, faults } = deadLinks(site)
for (const fault of faults) console.error(fault)
console.log(`site: ${site}, ${links} links, ${faults.length} of them dead`)
if (faults.length > 0 || app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1

/** @param {string} file */
function titleOf(file) {
  const [, title = file] = /<title>([^<]+)/.exec(readFileSync(join(web, file), 'utf8')) ?? []
  return title
}
