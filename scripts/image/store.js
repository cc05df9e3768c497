// The images that we build are in a store of their own, so that no image of this machine is seen or changed.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { root } from '../files.js'
import { run } from './command.js'

/** What can be made again, from the network at worst. */
export const cache = join(root, 'node_modules', '.cache', 'image')

/** The names of the images. */
export const images = {
  build: 'localhost/proxyprotocol-build',
  runtime: 'localhost/proxyprotocol-runtime',
  server: 'localhost/proxyprotocol-built',
}

/** vfs works on every file system, also in a container. */
const storage = ['--storage-driver=vfs', `--root=${join(cache, 'store')}`, `--runroot=${join(cache, 'run')}`]

/** @param {string[]} words */
export function buildah(...words) {
  mkdirSync(cache, { recursive: true })
  const env = { ...process.env, BUILDAH_ISOLATION: 'chroot' }
  return run('buildah', [...storage, ...words], { env })
}

/** What each command of podman begins with. */
export const podmanWords = storage

/** Its settings for these tests. */
export const podmanEnvironment = {
  ...process.env,
  CONTAINERS_CONF: join(root, 'deploy', 'test', 'containers.conf'),
}

/** @param {string[]} words */
export function podman(...words) {
  return run('podman', [...storage, ...words], { env: podmanEnvironment })
}
