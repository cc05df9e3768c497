// Prints a bill of materials of what we publish, in CycloneDX. It is that of an empty project with both packages in it: in
// this repository npm leaves out whatever a tool needs as well.

import { rmSync } from 'node:fs'
import { billOf } from './bill.js'
import { packedProject } from './packed-project.js'

const project = packedProject()
try {
  console.log(JSON.stringify(billOf(project), undefined, 2))
} finally {
  rmSync(project, { recursive: true })
}
