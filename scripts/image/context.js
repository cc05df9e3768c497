// The folder that deploy/image/Dockerfile builds from: both packages and all they need, as tarballs.

import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { billOf } from '../bill.js'
import { root } from '../files.js'
import { packedProject } from '../packed-project.js'

const sources = join(root, 'deploy', 'image')

/**
 * Writes the folder anew, and gives the bill of materials of what it installs.
 *
 * @param {string} folder
 */
export function writeContext(folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const project = packedProject()
  try {
    for (const file of readdirSync(project).filter(name => /\.(?:json|tgz)$/.test(name)))
      copyFileSync(join(project, file), join(folder, file))
    for (const file of readdirSync(sources)) copyFileSync(join(sources, file), join(folder, file))
    return billOf(project)
  } finally {
    rmSync(project, { recursive: true })
  }
}
