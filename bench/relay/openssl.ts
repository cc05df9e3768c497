// What a C compiler needs to be told for OpenSSL: nothing much where it is installed, or else where Debian's package is unpacked.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { multiarch, provideFiles } from '../../interop/debian.ts'

/** @throws Error where it is not installed and cannot be fetched. */
export function opensslFlags(): readonly string[] {
  const libraries = ['-lssl', '-lcrypto']
  if (preprocesses(libraries)) return libraries
  const root = provideFiles('openssl', ['libssl-dev'])
  const include = join(root, 'usr/include')
  const headers = [include, ...multiarch(include)].map(folder => `-I${folder}`)
  const folders = multiarch(join(root, 'usr/lib'))
  const flags = [...headers, ...folders.flatMap(path => [`-L${path}`, `-Wl,-rpath,${path}`]), ...libraries]
  if (!preprocesses(flags))
    throw new Error('the load speaks TLS, and there is no OpenSSL: install libssl-dev')
  return flags
}

function preprocesses(flags: readonly string[]): boolean {
  const args = ['-E', ...flags, '-include', 'openssl/ssl.h', '-x', 'c', '/dev/null']
  return spawnSync('cc', args, { stdio: 'ignore' }).status === 0
}
