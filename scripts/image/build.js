// Builds the image of the programs by deploy/image/Dockerfile, with its bill of materials.

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../files.js'
import { writeArchive } from './archive.js'
import { makeBases, partsOfBase } from './bases.js'
import { writeContext } from './context.js'
import { buildah, images } from './store.js'

/** What building needs, with the package of each. */
export const tools = { buildah: 'buildah', 'dpkg-deb': 'dpkg', strip: 'binutils' }

/** What the image is built from. */
export const context = join(root, 'dist', 'image')

const manifest = readFileSync(join(root, 'packages/proxyprotocol-server/package.json'), 'utf8')
const { version } = /** @type {{ version: string }} */ (JSON.parse(manifest))

/** The name of the image in the archive. */
export const name = `localhost/proxyprotocol-server:${version}`

/** The image for `docker load` and `podman load`. */
export const archive = `${context}.tar`

/** Builds bases, image and archive, and gives the image's id and its bytes. */
export function buildImage() {
  makeBases()
  const bill = writeContext(context)
  const components = [...bill.components, ...partsOfBase()]
  writeFileSync(`${context}.sbom.json`, JSON.stringify({ ...bill, components }, undefined, 2))
  return buildFromContext()
}

/** Builds image and archive from bases and context that exist. */
export function buildFromContext() {
  // Health checks are not part of the OCI format.
  const fixed = [
    '--format=docker',
    '--timestamp=0',
    '--no-cache',
    '--pull-never',
    '--network=none',
    '--quiet',
  ]
  const bases = [`BUILD=${images.build}`, `RUNTIME=${images.runtime}`, `VERSION=${version}`]
  const words = [...fixed, ...bases.map(word => `--build-arg=${word}`), `--tag=${images.server}`]
  buildah('bud', ...words, context)
  buildah('rmi', '--prune', '--force') // the image that this one replaces
  const id = writeArchive(images.server, name, archive)
  return { id, bytes: statSync(archive).size }
}
