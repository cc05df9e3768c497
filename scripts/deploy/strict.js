// Decodes manifests strictly: TypeScript compares each with the type of its kind, and refuses keys that the type does not have.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../files.js'
import { run } from '../image/command.js'
import { folder } from './tools.js'

/** The type of each kind. */
const types = /** @type {Record<string, string>} */ ({
  ConfigMap: "import('kubernetes-types/core/v1').ConfigMap",
  DaemonSet: "import('kubernetes-types/apps/v1').DaemonSet",
  Deployment: "import('kubernetes-types/apps/v1').Deployment",
  HorizontalPodAutoscaler: "import('kubernetes-types/autoscaling/v2').HorizontalPodAutoscaler",
  NetworkPolicy: "import('kubernetes-types/networking/v1').NetworkPolicy",
  PodDisruptionBudget: "import('kubernetes-types/policy/v1').PodDisruptionBudget",
  PodMonitor: "import('@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1').IPodMonitor",
  Service: "import('kubernetes-types/core/v1').Service",
})

/**
 * Throws with what is wrong, and where.
 *
 * @param {Record<string, import('./chart.js').Manifest[]>} manifests by the name of their values
 */
export function decodeStrictly(manifests) {
  const sources = join(folder, 'manifests')
  mkdirSync(sources, { recursive: true })
  const files = Object.entries(manifests).map(([name, list]) => {
    const file = join(sources, `${name.replaceAll(/\W/g, '-')}.ts`)
    writeFileSync(file, list.map(declaration).join(''))
    return file
  })
  const strict = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'esnext']
  run(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '--ignoreConfig', ...strict, ...files],
    { cwd: folder },
  )
}

/**
 * @param {import('./chart.js').Manifest} manifest
 * @param {number} index
 */
function declaration(manifest, index) {
  const { [manifest.kind]: type } = types
  if (type === undefined)
    throw new Error(`kind must be one of ${Object.keys(types).join(', ')}, got ${manifest.kind}`)
  return `export const manifest${index}: ${type} = ${JSON.stringify(manifest, undefined, 2)}\n`
}
