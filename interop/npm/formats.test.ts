// Module formats: Jest on CommonJS, and TypeScript under every setting of modules; each runs as its users run it.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const here = import.meta.dirname

/** A project with this library and the types of Node. */
function project(t: TestContext, type: 'commonjs' | 'module'): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyprotocol-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', type }))
  cpSync(join(here, 'formats'), folder, { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

function runIn(folder: string, ...args: readonly string[]): string {
  try {
    return execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
  } catch (cause) {
    const { stdout, stderr } = cause as { stdout: string; stderr: string } // execFileSync() adds them
    throw new Error(stdout + stderr, { cause })
  }
}

test('Jest on CommonJS runs tests of servers and clients', t => {
  const config = JSON.stringify({ testEnvironment: 'node', testMatch: ['**/*.fixture.cjs'], transform: {} })
  runIn(
    project(t, 'commonjs'),
    join(here, 'node_modules/jest/bin/jest.js'),
    '--ci',
    '--watchman=false',
    '--config',
    config,
  )
})

for (const [type, module, moduleResolution] of [
  ['commonjs', 'commonjs', 'node10'],
  ['commonjs', 'node16', 'node16'],
  ['commonjs', 'nodenext', 'nodenext'],
  ['module', 'node16', 'node16'],
  ['module', 'nodenext', 'nodenext'],
  ['module', 'esnext', 'bundler'],
] as const) {
  test(`TypeScript compiles a package of type ${type} under module ${module} and resolution ${moduleResolution}, and it runs`, t => {
    const folder = project(t, type)
    const settings = {
      module,
      moduleResolution,
      target: 'es2023',
      strict: true,
      outDir: 'out',
      rootDir: '.',
      types: ['node'],
    }
    const compilerOptions = {
      ...settings,
      ...(moduleResolution === 'node10' && { ignoreDeprecations: '6.0' }),
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }))
    runIn(folder, join(root, 'node_modules/typescript/bin/tsc'))
    assert.equal(
      runIn(folder, '--eval', "import('./out/use.js').then(({ values }) => console.log(values.length))"),
      '5\n',
    )
  })
}
