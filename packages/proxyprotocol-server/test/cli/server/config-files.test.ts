// --config: several files and directories, and --watch.

import assert from 'node:assert/strict'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from 'test-support/folder'
import { runServer } from '../../../src/cli/index.ts'
import { serverRequest } from '../../../src/cli/server/arguments.ts'
import { fakeIo, start } from '../../support/program.ts'

function service(name: string, listen = '127.0.0.1:0'): string {
  return `services: [{ name: ${name}, listen: "${listen}", upstream: 192.0.2.1:1 }]`
}

function namesOf(args: readonly string[], env: Record<string, string> = {}): readonly string[] {
  return serverRequest(args, fakeIo(env)).configuration.services.map(({ name }) => name)
}

test('--config takes several files and directories, in which it reads YAML and JSON by name', t => {
  const folder = temporaryFolder(t)
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  mkdirSync(join(folder, 'more'))
  const inside = ['b.yml', 'a.yaml', 'c.json', '.hidden.yaml', 'd.txt']
  for (const [at, name] of inside.entries()) write(join('more', name), service(`s${at}`))
  write(join('more', 'c.json'), '{"services": [{ "name": "s2", "listen": ":0", "upstream": "192.0.2.1:1" }]}')
  const first = write('first.yaml', service('first'))
  const all = ['first', 's1', 's0', 's2']
  assert.deepEqual(namesOf(['--config', first, '--config', join(folder, 'more')]), all)
  assert.deepEqual(namesOf(['check', first, join(folder, 'more')]), all)
  assert.deepEqual(namesOf([], { PROXYPROTOCOL_CONFIG: join(folder, 'more') }), all.slice(1))
})

test('a directory without configurations ends it with 2', async t => {
  const folder = temporaryFolder(t)
  const io = fakeIo()
  assert.equal(await runServer(['check', folder], io), 2)
  assert.deepEqual(io.errors, [
    `error: the directory ${folder} must have a .yaml, .yml or .json file, got none\n`,
  ])
})

test('--watch reloads when a file is replaced, when one comes, and when Kubernetes exchanges a link', async t => {
  const folder = temporaryFolder(t)
  const version = (name: string, files: Readonly<Record<string, string>>): void => {
    mkdirSync(join(folder, name))
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text)
    symlinkSync(name, join(folder, '..new'))
    renameSync(join(folder, '..new'), join(folder, '..data'))
  }
  version('..1', { 'a.yaml': service('a') })
  symlinkSync(join('..data', 'a.yaml'), join(folder, 'a.yaml'))
  const { io } = await start(t, runServer, ['--config', folder, '--watch'])
  version('..2', { 'a.yaml': service('b') })
  await io.line(/ reloaded added=0 changed=1 removed=0 /)
  writeFileSync(join(folder, 'c.yaml'), service('c'))
  await io.line(/ reloaded added=1 changed=0 removed=0 /)
  writeFileSync(join(folder, 'c.tmp'), 'services: 5')
  renameSync(join(folder, 'c.tmp'), join(folder, 'c.yaml'))
  assert.match(await io.line(/ reload-failed /), /c\.yaml:1:1: services must be a list/)
})

test('without --watch a file that changes is read on SIGHUP only', t => {
  const file = join(temporaryFolder(t), 'a.yaml')
  writeFileSync(file, service('a'))
  assert.deepEqual(serverRequest(['--config', file], fakeIo()).watched, [])
  assert.deepEqual(serverRequest(['--config', file, '--watch'], fakeIo()).watched, [file])
})
