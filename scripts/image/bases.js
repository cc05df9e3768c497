// The two images that ours starts from, made of Debian packages, the Node of npm's package and this machine's npm. They take the
// places of node:24-slim and distroless Node. The packages stay in the cache, so that only the first run needs the network.

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { nodeBinary, versionOf } from '../runtimes.js'
import { run } from './command.js'
import { buildah, cache, images } from './store.js'

/** What Node needs, and what a scanner, TLS and a time zone need. */
const PACKAGES = [
  'base-files',
  'ca-certificates',
  'gcc-12-base',
  'libc6',
  'libgcc-s1',
  'libstdc++6',
  'netbase',
  'tzdata',
]
const NODE = '24'
/** Matches files of packages that no program of the image reads. */
const UNREAD = /^(?:doc|man|locale|lintian|info|bug|base-files|gcc|gdb|common-licenses|pixmaps)$/
const UNPRIVILEGED = 65532

const debs = join(cache, 'debs')

/** Makes both images. */
export function makeBases() {
  download()
  const folder = join(cache, 'root')
  rmSync(folder, { recursive: true, force: true })
  unpack(folder)
  addNode(folder)
  commit(folder, images.runtime)
  addNpm(folder)
  commit(folder, images.build)
  rmSync(folder, { recursive: true })
}

/** What the images hold besides npm packages, as components of a bill of materials. */
export function partsOfBase() {
  const packages = archives().map(archive => {
    const [name = '', version = ''] = run('dpkg-deb', [
      '-W',
      '--showformat=${Package} ${Version}',
      archive,
    ]).split(' ')
    return { type: 'library', name, version, purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}` }
  })
  const version = versionOf(nodeBinary(NODE))
  return [...packages, { type: 'platform', name: 'node', version, purl: `pkg:generic/node@${version}` }]
}

function archives() {
  return readdirSync(debs)
    .sort()
    .map(file => join(debs, file))
}

function download() {
  if (existsSync(debs)) return
  const unfinished = `${debs}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  run('apt-get', ['download', '-q', ...PACKAGES], { cwd: unfinished })
  renameSync(unfinished, debs)
}

/** @param {string} folder */
function unpack(folder) {
  const known = join(folder, 'var/lib/dpkg/status.d') // scanners read it
  for (const each of [
    'etc/ssl/certs',
    'etc/proxyprotocol',
    'home/nonroot',
    'tmp',
    known.slice(folder.length),
  ])
    mkdirSync(join(folder, each), { recursive: true })
  for (const archive of archives()) {
    run('dpkg-deb', ['-x', archive, folder])
    writeFileSync(
      join(known, run('dpkg-deb', ['-f', archive, 'Package'])),
      `${run('dpkg-deb', ['-f', archive])}\n`,
    )
  }
  const share = join(folder, 'usr/share')
  for (const name of readdirSync(share).filter(each => UNREAD.test(each)))
    rmSync(join(share, name), { recursive: true })
  for (const libraries of multiarch(folder))
    rmSync(join(libraries, 'gconv'), { recursive: true, force: true })
  chmodSync(join(folder, 'tmp'), 0o1777)
  writeAccounts(folder)
  writeAuthorities(folder)
}

/** @param {string} folder */
function multiarch(folder) {
  const libraries = join(folder, 'usr/lib')
  const names = readdirSync(libraries).filter(name => name.endsWith('-linux-gnu'))
  return names.map(name => join(libraries, name))
}

/** @param {string} folder */
function writeAccounts(folder) {
  const id = String(UNPRIVILEGED)
  const etc = join(folder, 'etc')
  writeFileSync(
    join(etc, 'passwd'),
    `root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:${id}:${id}:nonroot:/home/nonroot:/sbin/nologin\n`,
  )
  writeFileSync(join(etc, 'group'), `root:x:0:\nnonroot:x:${id}:\n`)
  writeFileSync(join(etc, 'nsswitch.conf'), 'hosts: files dns\n')
}

/** @param {string} folder */
function writeAuthorities(folder) {
  const certificates = join(folder, 'usr/share/ca-certificates/mozilla')
  const texts = readdirSync(certificates)
    .sort()
    .map(file => readFileSync(join(certificates, file), 'utf8'))
  writeFileSync(join(folder, 'etc/ssl/certs/ca-certificates.crt'), texts.join(''))
  rmSync(certificates, { recursive: true })
}

/** @param {string} folder */
function addNode(folder) {
  const bin = join(folder, 'nodejs/bin')
  mkdirSync(bin, { recursive: true })
  run('strip', ['-s', '-o', join(bin, 'node'), nodeBinary(NODE)])
}

/** @param {string} folder */
function addNpm(folder) {
  const program = realpathSync(run('sh', ['-c', 'command -v npm']))
  const bin = join(folder, 'usr/local/bin')
  const npm = join(folder, 'usr/local/lib/npm')
  mkdirSync(bin, { recursive: true })
  cpSync(dirname(dirname(program)), npm, { recursive: true, dereference: true })
  const entry = join(npm, 'bin/npm-cli.js')
  writeFileSync(entry, readFileSync(entry, 'utf8').replace('#!/usr/bin/env node\n', '#!/nodejs/bin/node\n'))
  symlinkSync('/usr/local/lib/npm/bin/npm-cli.js', join(bin, 'npm'))
  symlinkSync('/nodejs/bin/node', join(bin, 'node'))
}

/**
 * @param {string} folder
 * @param {string} name
 */
function commit(folder, name) {
  const container = buildah('from', 'scratch')
  buildah('add', '--quiet', container, folder, '/')
  buildah('config', '--env', 'PATH=/usr/local/bin:/nodejs/bin', container)
  buildah('commit', '--quiet', '--rm', '--timestamp=0', container, name)
}
