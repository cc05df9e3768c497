// docs/architecture.md leads to places that exist, and to every folder of the sources.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const root = new URL('../../../', import.meta.url)
const sources = ['packages/proxyprotocol/src/', 'packages/proxyprotocol-server/src/']
const text = readFileSync(new URL('docs/architecture.md', root), 'utf8')
const named = [...text.matchAll(/`([\w./-]+)`/g)].map(([, name = '']) => name)

function isThere(path: string): boolean {
  const bases = ['', ...sources, 'packages/proxyprotocol-server/', 'packages/proxyprotocol/']
  return bases.some(base => existsSync(new URL(base + path, root)))
}

test('every path that docs/architecture.md names exists', () => {
  const paths = named.filter(name => /\/|\.(?:ts|js|md|json)$/.test(name))
  assert.ok(paths.length > 60)
  assert.deepEqual(
    paths.filter(path => !isThere(path)),
    [],
  )
})

test('docs/architecture.md names every folder of the sources', () => {
  const folders = sources.flatMap(base =>
    readdirSync(new URL(base, root), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(({ parentPath, name }) =>
        `${parentPath}/${name}/`.replaceAll('//', '/').replace(/^.*\/src\//, ''),
      ),
  )
  const inner = new Set(
    folders.filter(folder => !folders.some(each => each !== folder && each.startsWith(folder))),
  )
  assert.deepEqual([...inner].filter(folder => !named.includes(folder)).sort(), [])
})
