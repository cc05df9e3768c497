// The units of deploy/systemd under a real systemd, which is process 1 of a container over this machine's files.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  copyFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { certificate } from '../../packages/test-support/certificates.ts'
import { root } from '../../scripts/files.js'
import { lacking, run } from '../../scripts/image/command.js'

const UNITS = join(root, 'deploy', 'systemd')
const MAX_EXPOSURE = 1.5
/** Where the container has this repository. */
const INSIDE = '/srv/proxyprotocol'

const skip =
  lacking({ 'systemd-nspawn': 'systemd-container', 'systemd-analyze': 'systemd' }) ?? unprivileged() ?? false

test(`the service has an exposure of at most ${MAX_EXPOSURE}`, { skip }, () => {
  const said = run('systemd-analyze', ['security', '--offline=true', join(UNITS, 'proxyprotocol.service')])
  const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1]
  assert.ok(Number(exposure) <= MAX_EXPOSURE, said)
})

test('the units start, reload, restart and stop the program without losing a connection', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'pp-systemd-'))
  const machine = join(folder, 'machine')
  mkdirSync(machine)
  // The changes are in memory, because an overlay cannot lie on the files below it.
  run('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', folder])
  try {
    for (const each of ['machine', 'upper', 'work']) mkdirSync(join(folder, each))
    const layers = `lowerdir=/,upperdir=${join(folder, 'upper')},workdir=${join(folder, 'work')}`
    run('mount', ['-t', 'overlay', 'overlay', '-o', layers, machine])
    try {
      install(machine)
      boot(machine)
    } finally {
      run('umount', [machine])
    }
  } finally {
    run('umount', [folder])
    rmSync(folder, { recursive: true })
  }
})

function unprivileged(): string | undefined {
  if (process.getuid?.() === 0) return undefined
  if (process.env['REQUIRE_CONTAINERS'] === '1') throw new Error('a container with systemd needs root')
  return 'a container with systemd needs root'
}

function install(machine: string): void {
  const units = join(machine, 'etc/systemd/system')
  for (const unit of readdirSync(UNITS)) copyFileSync(join(UNITS, unit), join(units, unit))
  for (const unit of ['inside.service', 'inside.target'])
    copyFileSync(new URL(`systemd/${unit}`, import.meta.url), join(units, unit))
  const dropIn = join(units, 'proxyprotocol.service.d')
  mkdirSync(dropIn)
  writeFileSync(join(dropIn, 'log.conf'), '[Service]\nStandardOutput=append:/var/log/inside\n') // there is no journal
  const program = join(machine, 'usr/bin/proxyprotocol-server')
  rmSync(program, { force: true })
  symlinkSync(`${INSIDE}/packages/proxyprotocol-server/bin/proxyprotocol-server.js`, program)
  const settings = join(machine, 'etc/proxyprotocol')
  mkdirSync(settings, { recursive: true })
  writeFileSync(join(settings, 'web.crt'), certificate.cert, { mode: 0o600 })
  writeFileSync(join(settings, 'web.key'), certificate.key, { mode: 0o600 })
  rmSync(join(machine, 'etc/machine-id'), { force: true })
  symlinkSync('/dev/null', join(units, 'network-online.target')) // the container has loopback alone
}

function boot(machine: string): void {
  const unified = existsSync('/sys/fs/cgroup/cgroup.controllers')
  const words = ['--quiet', `--directory=${machine}`, '--private-network', '--register=no', '--keep-unit']
  const { status, stdout, stderr } = spawnSync(
    'systemd-nspawn',
    [...words, `--bind-ro=${root}:${INSIDE}`, '--console=pipe', '--boot', '--', '--unit=inside.target'],
    {
      encoding: 'utf8',
      timeout: 240_000,
      env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: unified ? '1' : '0' },
    },
  )
  const report = join(machine, 'var/log/inside')
  const said = existsSync(report) ? readFileSync(report, 'utf8') : `it did not start\n${stdout}\n${stderr}`
  assert.equal(status, 0, said)
}
