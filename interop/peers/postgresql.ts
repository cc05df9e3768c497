// PostgreSQL: it must log none of the checks that pass, and serves clients whose TLS passes through the relay.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checking } from '../checking.ts'
import { provide, type Debian } from '../debian.ts'
import type { Harness } from '../harness.ts'
import type { Case, Peer } from '../peer.ts'
import { clientCases, psqlProgram, tlsArguments } from './tls/postgresql.ts'

const program: Debian = { program: 'postgres', packages: ['postgresql-15'], version: ['--version'] }

/** Nobody. */
const USER = 65_534

/** One role logs in without a password, one is refused, and all others are asked for a password. */
const ACCESS = `host all open 127.0.0.1/32 trust
host all refused 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
`

export const postgresql: Peer = {
  name: 'postgresql',
  programs: [program, psqlProgram],
  async cases(harness) {
    const port = await harness.port()
    const data = join(harness.open('postgresql'), 'data')
    const { path } = provide(program)
    const initdb = unprivileged(join(dirname(path), 'initdb'), [
      ...['-D', data, '-U', 'open', '--no-sync', '--locale=C', '--auth=trust'],
    ])
    const { status, stderr } = spawnSync(initdb.path, initdb.args, {
      encoding: 'utf8',
      env: { ...process.env, ...provide(program).environment },
    })
    assert.equal(status, 0, stderr)
    writeFileSync(join(data, 'pg_hba.conf'), ACCESS)
    appendFileSync(join(data, 'postgresql.conf'), `port = ${port}\n`)
    const server = unprivileged(path, [
      ...['-D', data, '-c', `unix_socket_directories=${data}`, '-c', 'listen_addresses=127.0.0.1'],
      ...tlsArguments(harness, USER),
    ])
    const { output, said } = await harness.start({ ...provide(program), path: server.path }, server.args, [
      port,
    ])
    await said(/ready to accept connections/) // it listens before
    const upstream = `127.0.0.1:${port}?pp=noop`
    return [...cases(harness, upstream, output), ...(await clientCases(harness, upstream, 'open'))]
  },
}

function cases(harness: Harness, upstream: string, output: () => string): readonly Case[] {
  const logsNoFatal = (): void => assert.doesNotMatch(output(), /FATAL|incomplete|unexpected/)
  const check = (user: string) => ({ type: 'postgresql', user }) as const
  return [
    checking(harness, {
      ...{ name: 'check of a user who needs a password', upstream, check: check('anyone') },
      afterwards: logsNoFatal,
    }),
    checking(harness, {
      ...{ name: 'check of a user who needs none', upstream, check: check('open') },
      afterwards: logsNoFatal,
    }),
    checking(harness, {
      ...{ name: 'check of a user who is refused', upstream, check: check('refused') },
      fault: /got FATAL "pg_hba\.conf rejects connection for host .*127\.0\.0\.1.*refused/,
    }),
  ]
}

/** PostgreSQL refuses to run as root. */
function unprivileged(path: string, args: readonly string[]): { path: string; args: readonly string[] } {
  if (process.getuid?.() !== 0) return { path, args }
  const drop = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups']
  return { path: '/usr/bin/setpriv', args: [...drop, path, ...args] }
}
