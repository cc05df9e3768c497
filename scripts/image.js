// Builds the image of the programs without a container registry, from Debian packages, into dist/image.tar, with
// its bill of materials in dist/image.sbom.json.
//
// npm run image                writes dist/image, and builds it with buildah
// npm run image -- --context   only writes dist/image, for `docker build dist/image`

import process from 'node:process'
import { lacking } from './image/command.js'
import { archive, buildImage, context, tools } from './image/build.js'
import { writeContext } from './image/context.js'

const reason = process.argv.includes('--context') ? 'only the context was asked for' : lacking(tools)
if (reason === undefined) {
  const { id, bytes } = buildImage()
  console.log(`image: ${archive}, ${(bytes / 1e6).toFixed(1)} MB, id ${id}`)
} else {
  writeContext(context)
  console.log(`image: ${context} is written; not built: ${reason}`)
}
