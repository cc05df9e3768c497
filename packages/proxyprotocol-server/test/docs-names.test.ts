// The documentation of the programs names options, variables and keys: every one of them exists.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runEcho, runInspect, runServer } from '../src/cli/index.ts'
import { inspectIo } from '../src/cli/inspect/inspect.ts'
import { fakeIo } from './support/program.ts'
import { pathOf } from './support/child.ts'

/** Of other programs, and one that is refused with the reason why. */
const FOREIGN = new Set(['--buf-len', '--global', '--now'])
/** Pages about other programs, the library or this project's scripts. */
const OTHER_PAGES = /^docs\/(?:containers|differential|interop|kubernetes|performance|register|trust)\.md$/
/** Options of the library that the configuration spells in another way or not at all. */
const LIBRARY_KEYS = new Set([
  'timeouts.handshake',
  'timeouts.flow',
  'timeouts.confirmed',
  'limits.flows',
  'limits.perSourceExempt',
])

const files = [
  ...readdirSync(pathOf('docs')).map(name => `docs/${name}`),
  'packages/proxyprotocol-server/README.md',
].filter(name => name.endsWith('.md'))
const pages = files.map(name => ({ name, text: readFileSync(pathOf(name), 'utf8') }))

async function helpTexts(): Promise<string> {
  const io = fakeIo()
  const inspect = { ...inspectIo, ...io }
  for (const program of [runServer, runEcho]) assert.equal(await program(['--help'], io), 0)
  for (const args of [['ctl'], ['ctl', 'close'], ['health']])
    assert.equal(await runServer([...args, '--help'], io), 0)
  for (const args of [[], ['build'], ['doctor']])
    assert.equal(await runInspect([...args, '--help'], inspect), 0)
  return io.written.join('\n')
}

function namesIn(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([name]) => name)
}

test('every option and variable that the documentation of the programs names exists', async () => {
  const help = await helpTexts()
  const options = new Set([...namesIn(help, /--[a-z][a-z0-9-]*/g), ...FOREIGN])
  const variables = new Set(namesIn(help, /PROXYPROTOCOL_[A-Z_]+/g))
  for (const { name, text } of pages.filter(page => !OTHER_PAGES.test(page.name))) {
    for (const option of namesIn(text, /(?<![\w-])--[a-z][a-z0-9-]*/g))
      assert.ok(options.has(option), `${name}: ${option}`)
    for (const variable of namesIn(text, /PROXYPROTOCOL_[A-Z_]+/g)) {
      assert.ok(variables.has(variable), `${name}: ${variable}`)
    }
  }
})

test('docs/log.md has a row for every event that the programs write', () => {
  const sources = ['cli', 'log'].flatMap(folder => {
    const root = `packages/proxyprotocol-server/src/${folder}`
    const names = readdirSync(pathOf(root), { recursive: true, encoding: 'utf8' })
    return names
      .filter(name => name.endsWith('.ts'))
      .map(name => readFileSync(pathOf(`${root}/${name}`), 'utf8'))
  })
  const calls = /(?:\blog\([\w.#]+, |#say\(|\.write\(\s*|\.line\()'([a-z_-]+)'/g
  const events = sources.flatMap(text => [...text.matchAll(calls)].map(([, event = '']) => event))
  const { text } = pages.find(({ name }) => name === 'docs/log.md') ?? assert.fail()
  const rows = [...text.matchAll(/^\| `([a-z_-]+)` +\| (?:info|warn|error|fatal) +\|/gm)].map(
    ([, event]) => event,
  )
  assert.deepEqual(new Set(rows), new Set(events))
})

interface SchemaPart {
  readonly properties?: Readonly<Record<string, SchemaPart>>
  readonly items?: SchemaPart
}

test('every limit, timeout and time of the shutdown that the documentation names exists', () => {
  const schema = JSON.parse(
    readFileSync(pathOf('packages/proxyprotocol-server/config.schema.json'), 'utf8'),
  ) as SchemaPart // our own
  const service = schema.properties?.['services']?.items?.properties
  const sections = {
    limits: service?.['limits'],
    timeouts: service?.['timeouts'],
    shutdown: schema.properties?.['shutdown'],
  }
  const keys = new Set(LIBRARY_KEYS)
  for (const [section, part] of Object.entries(sections)) {
    for (const key of Object.keys(part?.properties ?? {})) keys.add(`${section}.${key}`)
  }
  assert.ok(keys.has('limits.perSource') && keys.has('timeouts.halfClose') && keys.has('shutdown.drain'))
  for (const { name, text } of pages) {
    for (const key of namesIn(text, /(?<=`)(?:limits|timeouts|shutdown)\.\w+(?=`)/g)) {
      assert.ok(keys.has(key), `${name}: ${key}`)
    }
  }
})
