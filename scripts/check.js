// The one gate: every step in turn, each shown with its time, stopping at the first that fails.
//
// npm run check                 all steps
// npm run check -- lint types   only those whose name holds one of the words

import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { root } from './files.js'

const library = 'packages/proxyprotocol'
const programs = 'packages/proxyprotocol-server'
/** Plain output; no look-up of types published elsewhere. */
const attw = '--no-definitely-typed --no-summary --no-emoji --format ascii'

/** Command by name; none needs the network. */
const steps = {
  format: 'prettier --check --log-level warn .',
  lint: 'eslint --max-warnings 0 .',
  'types of sources': `tsc -b ${library} ${programs} && node scripts/build-cjs.js`,
  'types of tests, bench, examples and scripts': 'tsc -p tsconfig.json',
  'types of pages': `tsc -p ${programs}/web`,
  'pages in a browser': 'node scripts/build-web.js && node scripts/test-pages.js',
  'tests and coverage': 'node scripts/coverage.js',
  'publint of the library': `publint run --strict ${library}`,
  'publint of the programs': `publint run --strict ${programs}`,
  'attw of the library': `attw --pack ${library} ${attw} --exclude-entrypoints vectors`,
  'attw of the vectors, which are ESM only': `attw --pack ${library} ${attw} --profile esm-only --entrypoints vectors`,
  'attw of the programs, which are ESM only': `attw --pack ${programs} ${attw} --profile esm-only`,
  packages: 'node scripts/check-packages.js',
  prose: 'node scripts/check-prose.js',
  docs: 'node scripts/check-snippets.js',
  'docs of the configuration': 'node scripts/config-docs.js --check',
  'docs: the tests of each rule': 'node scripts/test-index.js --check',
  'docs: the picture': 'node scripts/picture.js --check',
  'docs as a site': 'node scripts/docs-site.js',
}

const path = [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter)
const env = { ...process.env, PATH: path }
const words = process.argv.slice(2)
const chosen = Object.entries(steps).filter(
  ([name]) => words.length === 0 || words.some(word => name.includes(word)),
)

if (chosen.length === 0) {
  console.error(`check: no step is called ${words.join(' or ')}; there are: ${Object.keys(steps).join(', ')}`)
  process.exit(1)
}
for (const [name, command] of chosen) {
  console.log(`\n== ${name}: ${command}`)
  const start = performance.now()
  const { status } = spawnSync(command, { cwd: root, env, shell: true, stdio: 'inherit' })
  if (status !== 0) {
    console.error(`\ncheck: FAILED at "${name}" (${command})`)
    process.exit(1)
  }
  console.log(`== ${name}: ok in ${((performance.now() - start) / 1000).toFixed(1)} s`)
}
console.log(`\ncheck: all ${chosen.length} steps passed`)
