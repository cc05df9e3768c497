// The bill of materials of a folder that packedProject() has made, in CycloneDX.

import { run } from './packed-project.js'

/** @typedef {{ components: { externalReferences?: { url: string }[] }[] }} Bill */

/**
 * @param {string} project
 * @returns {Bill}
 */
export function billOf(project) {
  const text = run(project, 'npm', 'sbom', '--sbom-format=cyclonedx', '--sbom-type=application')
  const bill = /** @type {Bill} */ (JSON.parse(text))
  const components = bill.components.map(({ externalReferences = [], ...component }) => ({
    ...component,
    // where npm took the tarballs from on this machine
    externalReferences: externalReferences.filter(({ url }) => !url.startsWith('file:')),
  }))
  return { ...bill, components }
}
