// Prepares the folder that its argument names for an image without a shell: it removes what no program reads, and lets
// the image's own Node run the programs.

import { readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const [, , app = '.'] = process.argv
const UNREAD = /\.(?:[cm]?ts|map|md|tgz)$/
const packages = join(app, 'node_modules')

for (const file of readdirSync(app, { recursive: true, encoding: 'utf8' }))
  if (UNREAD.test(file)) rmSync(join(app, file), { force: true })
for (const name of ['proxyprotocol-server', 'proxyprotocol', 'zod'])
  rmSync(join(packages, name, 'src'), { recursive: true, force: true })

for (const name of readdirSync(join(packages, '.bin'))) {
  const program = realpathSync(join(packages, '.bin', name))
  const text = readFileSync(program, 'utf8')
  writeFileSync(program, text.replace('#!/usr/bin/env node\n', '#!/nodejs/bin/node\n'))
}
