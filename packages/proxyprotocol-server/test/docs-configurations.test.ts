// The documentation shows configurations: each passes the check, and those made by `import` are what it makes.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { runServer } from '../src/cli/index.ts'
import { parseConfig } from '../src/config/index.ts'
import { pathOf } from './support/child.ts'
import { configFile } from './support/config-file.ts'
import { fakeIo } from './support/program.ts'

const names = [
  ...readdirSync(pathOf('docs')).map(name => `docs/${name}`),
  'packages/proxyprotocol-server/README.md',
].filter(name => name.endsWith('.md'))
const pages = new Map(names.map(name => [name, readFileSync(pathOf(name), 'utf8')]))

function blocksOf(page: string, language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text = '']) => text,
  )
}

/** Whole files, and keys of a service. */
function configurationsIn(page: string): readonly (string | object)[] {
  const json = blocksOf(page, 'json').flatMap((text): readonly (string | object)[] => {
    if (!/^"(?:listen|tls)"/.test(text)) return text.includes('"services"') ? [text] : []
    const keys = JSON.parse(`{${text}}`) as object // of a service
    const anywhere = { listen: 'ssl://:1', upstream: '192.0.2.1:1' }
    return [{ services: [{ ...('listen' in keys ? {} : anywhere), ...keys }] }]
  })
  return [...json, ...blocksOf(page, 'yaml').filter(text => /^services:\n *- /m.test(text))]
}

test('every configuration that the documentation shows passes the check', () => {
  const found = [...pages].flatMap(([name, page]) =>
    configurationsIn(page).map(configuration => ({ name, configuration })),
  )
  for (const { name, configuration } of found)
    assert.doesNotThrow(() => parseConfig(configuration), `${name}: ${JSON.stringify(configuration)}`)
  for (const name of ['config', 'tls', 'upstreams', 'from-haproxy', 'from-nginx', 'from-traefik'])
    assert.ok(
      found.some(each => each.name === `docs/${name}.md`),
      name,
    )
})

for (const name of ['haproxy', 'nginx']) {
  test(`docs/from-${name}.md shows what import makes of its example`, async t => {
    const page = pages.get(`docs/from-${name}.md`) ?? assert.fail()
    const [[original = ''], [translation = '']] = [blocksOf(page, ''), blocksOf(page, 'yaml')]
    const io = fakeIo()
    assert.equal(await runServer(['import', configFile(t, original, 'example')], io), 0)
    assert.deepEqual(parse(io.written.join('')), parse(translation))
  })
}
