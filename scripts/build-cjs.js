// Builds the library as CommonJS beside its modules, and says so in a package.json there.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './files.js'

const library = join(root, 'packages', 'proxyprotocol')
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

const { status } = spawnSync(process.execPath, [tsc, '-b', join(library, 'tsconfig.cjs.json')], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
if (status === 0) writeFileSync(join(library, 'dist', 'cjs', 'package.json'), '{ "type": "commonjs" }\n')
