// What is published about the configuration: the JSON Schema in the package, and docs/config.md.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nodeAt, schemaNode } from '../../src/config/text/schema-node.ts'
import { typesWith, type CheckType } from '../../src/config/health.ts'
import { configSchema, parseConfig, publishedSchema } from '../../src/config/index.ts'
import { wanted } from '../../src/config/text/wanted.ts'

const root = new URL('../../../../', import.meta.url)
const page = readFileSync(new URL('docs/config.md', root), 'utf8')

test('config.schema.json is what follows from the schema', () => {
  const text = readFileSync(new URL('packages/proxyprotocol-server/config.schema.json', root), 'utf8')
  assert.deepEqual(JSON.parse(text), publishedSchema())
})

test('config.schema.json has standard keywords alone, and says units and defaults of each key', () => {
  const standard = new Set([
    ...[
      '$schema',
      'title',
      'description',
      'default',
      'examples',
      'type',
      'const',
      'enum',
      'pattern',
      'anyOf',
    ],
    ...[
      'minimum',
      'maximum',
      'minItems',
      'maxItems',
      'items',
      'properties',
      'required',
      'additionalProperties',
      'propertyNames',
    ],
  ])
  const check = (schema: object): void => {
    for (const [keyword, value] of Object.entries(schema) as [string, unknown][]) {
      assert.ok(standard.has(keyword), keyword)
      if (keyword === 'properties') Object.values(value as object).forEach(check)
      if (keyword === 'items') check(value as object)
      if (keyword === 'anyOf') (value as object[]).forEach(check)
    }
  }
  const schema = publishedSchema()
  check(schema)
  const text = JSON.stringify(schema)
  assert.match(text, /"description":"For connecting [^"]+ In milliseconds\.","default":5000,/)
  assert.match(text, /"description":"The longest version 2 header that is accepted\. In bytes\."/)
  assert.match(text, /"description":"Connections at a time\. Default: an equal share of [^"]+\."/)
})

test('every key of the configuration is described, and has a default unless it is required or may be absent', () => {
  const visit = (path: readonly string[]): void => {
    const node = nodeAt(schemaNode(configSchema), path)
    for (const key of Object.keys(node.properties ?? {})) {
      const each = nodeAt(schemaNode(configSchema), [...path, key])
      assert.match(each.description ?? '', /^[A-Z].*\.$/, [...path, key].join('.'))
      if (key !== 'defaults') visit([...path, key]) // its keys are those of a service
    }
  }
  visit([])
})

/** Whether only checks of another type have the key. */
function isOfOtherType(keys: object, key: string): boolean {
  return 'type' in keys && !typesWith(key).includes(keys.type as CheckType) // the example is valid
}

interface Sections {
  readonly limits?: object
  readonly timeouts?: object
}

test('the example of docs/config.md is a configuration with every key', () => {
  const [, example = ''] = /```json\n(.*?)```/s.exec(page) ?? []
  const { services, shutdown } = parseConfig(example)
  assert.deepEqual(
    services.map(({ name }) => name),
    ['web', 'mail', 'dns'],
  )
  assert.equal(shutdown.readyDelay, 5_000)
  const [first, second, ofUdp] = (JSON.parse(example) as { services: Sections[] }).services
  const joined = {
    limits: { ...ofUdp?.limits, ...first?.limits },
    timeouts: { ...ofUdp?.timeouts, ...first?.timeouts },
  }
  // No service has both `upstream` and `upstreams`, or both `passthrough` and `tls`.
  const written = {
    ...(JSON.parse(example) as object),
    services: [{ ...ofUdp, ...second, ...first, ...joined }],
  }
  const missing = (keys: object, node = schemaNode(configSchema)): string[] =>
    Object.entries(node.properties ?? {}).flatMap(([key, each]) => {
      if (key === 'defaults') return [] // its keys are those of a service
      const value: unknown = (keys as Record<string, unknown>)[key]
      if (each.sameAs) return [] // its keys stand in the service
      if (value === undefined) return isOfOtherType(keys, key) ? [] : [key]
      if (key === 'check' && 'address' in keys) return [] // an upstream's, with the keys of the service's
      const inner: unknown = value instanceof Array ? value[0] : value
      const object = (each.items ?? each).anyOf?.find(({ properties }) => properties) ?? each.items ?? each
      return typeof inner === 'object' && inner !== null ? missing(inner, object) : []
    })
  assert.deepEqual(missing(written), ['upstreamsFrom']) // it stands without `upstreams`
})

test('docs/config.md and config.schema.json are as scripts/config-docs.js writes them', () => {
  const script = fileURLToPath(new URL('scripts/config-docs.js', root))
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
})

test('the errors of docs/config.md are those that the program writes', () => {
  const [, file = ''] = /error: proxy\.json:6:17: (.*)/.exec(page) ?? []
  const service = {
    listen: ':1?pp=v1',
    upstream: ':2',
    trust: ['unix', '10.0.0.1/8'],
    limits: { conections: 1 },
  }
  const lines = [file, ...(/(services\[0\]\.limits\.conections must .*)/.exec(page)?.slice(1) ?? [])]
  assert.throws(() => parseConfig({ services: [service] }, ''), { message: lines.join('\n') })
  assert.ok(
    page.includes(
      '--idle-timeout must be an integer from 1 to 2147483647 (milliseconds) or a string such as "10s" or "never", got "5 s"',
    ),
  )
})

test('where nothing can stand the schema says nothing', () => {
  assert.deepEqual(nodeAt(schemaNode(configSchema), ['services', 'first']), {})
})

test('what a key takes is said in words, also where the schema has no example of it', () => {
  assert.equal(wanted({ type: 'string' }), 'a string')
  assert.equal(wanted({ type: 'string', examples: ['a', 'b'] }), 'a string such as "a" or "b"')
  assert.equal(wanted({ type: 'array', items: { type: 'boolean' } }), 'a list, each true or false')
  assert.equal(wanted({ type: 'array' }), 'a list, each a string')
})
