// Prints a bill of materials of what we publish, in CycloneDX. It is that of an empty project with both packages in it: in
// this repository npm leaves out whatever a tool needs as well.

import { rmSync } from 'node:fs'
import { packedProject, run } from './packed-project.js'

/** @typedef {{ components: { externalReferences?: { url: string }[] }[] }} Bill */

const project = packedProject()
try {
  const bill = /** @type {Bill} */ (
    JSON.parse(run(project, 'npm', 'sbom', '--sbom-format=cyclonedx', '--sbom-type=application'))
  )
  const components = bill.components.map(({ externalReferences = [], ...component }) => ({
    ...component,
    // where npm took the tarballs from on this machine
    externalReferences: externalReferences.filter(({ url }) => !url.startsWith('file:')),
  }))
  console.log(JSON.stringify({ ...bill, components }, undefined, 2))
} finally {
  rmSync(project, { recursive: true })
}
