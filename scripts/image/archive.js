// Makes the archive of an image depend on its content alone. buildah notes the container in which it built, and its host name.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.js'
import { buildah, cache } from './store.js'

/** @typedef {{ Config: string, RepoTags: string[], Layers: string[] }} Manifest */

/** The keys of what buildah notes of its container. */
const NOTES = new Set(['container', 'container_config', 'Hostname'])
/** What tar would otherwise take from this machine. */
const FIXED = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=0644']

/**
 * Writes an image for `docker load` and `podman load`, and gives its id.
 *
 * @param {string} image
 * @param {string} tag
 * @param {string} archive
 */
export function writeArchive(image, tag, archive) {
  const folder = join(cache, 'archive')
  rmSync(folder, { recursive: true, force: true })
  rmSync(archive, { force: true })
  mkdirSync(folder, { recursive: true })
  buildah('push', '--quiet', image, `docker-archive:${folder}.tar:${tag}`)
  run('tar', ['-xf', `${folder}.tar`, '-C', folder])
  const [{ Config, Layers }] = /** @type {[Manifest]} */ (read(join(folder, 'manifest.json')))
  const text = JSON.stringify(read(join(folder, Config)), (key, value) =>
    NOTES.has(key) ? undefined : value,
  )
  const id = createHash('sha256').update(text).digest('hex')
  writeFileSync(join(folder, `${id}.json`), text)
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify([{ Config: `${id}.json`, RepoTags: [tag], Layers }]),
  )
  run('tar', [...FIXED, '-C', folder, '-cf', archive, 'manifest.json', `${id}.json`, ...Layers])
  for (const each of [folder, `${folder}.tar`]) rmSync(each, { recursive: true })
  return id
}

/** @param {string} file */
function read(file) {
  return /** @type {unknown} */ (JSON.parse(readFileSync(file, 'utf8')))
}
