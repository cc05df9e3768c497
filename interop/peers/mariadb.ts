// MariaDB: a server that speaks first, behind headers of both versions; its log names the client.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { greeting } from '../asking.ts'
import { checking } from '../checking.ts'
import { provide, type Debian } from '../debian.ts'
import type { Harness, Running } from '../harness.ts'
import type { Case, Peer } from '../peer.ts'
import { receiving } from '../receiving.ts'

const program: Debian = { program: 'mariadbd', packages: ['mariadb-server-core'], version: ['--version'] }

/** Of checks that log in, and of those that only connect, so that the log tells them apart. */
const [LOGIN, CONNECT] = ['127.0.0.71', '127.0.0.72']

export const mariadb: Peer = {
  name: 'mariadb',
  programs: [program],
  async cases(harness) {
    const mariadbd = provide(program)
    const port = await harness.port()
    const data = harness.open('mariadb')
    const args = [
      ...['--no-defaults', ...(process.getuid?.() === 0 ? ['--user=root'] : [])],
      ...[`--datadir=${data}`, '--innodb=OFF', '--default-storage-engine=Aria'],
      `--lc-messages-dir=${join(mariadbd.root, '/usr/share/mysql')}`,
    ]
    createAccounts(args)
    const listening = [
      ...['--bind-address=127.0.0.1', `--port=${port}`, '--skip-name-resolve', `--pid-file=${data}/pid`],
      ...[`--socket=${data}/s.sock`, '--proxy-protocol-networks=127.0.0.1', '--log-warnings=9'],
    ]
    const running = await harness.start(mariadbd, [...args, ...listening], [port])
    const received = receiving(
      {
        name: 'proxy-protocol-networks',
        port,
        speak: greeting,
        check: async (answer, { source = '' }) => {
          assert.match(answer, /mysql_native_password/)
          await running.said(new RegExp(`unauthenticated' host: '${String(source.split(' ')[0])}'`))
        },
      },
      harness,
    )
    return [...received, ...checks(harness, port, running)]
  },
}

function createAccounts(args: readonly string[]): void {
  const { path, root, environment } = provide(program)
  const tables = ['mysql_system_tables.sql', 'mysql_system_tables_data.sql'].map(name =>
    readFileSync(join(root, '/usr/share/mysql', name), 'utf8'),
  )
  const input = [
    ...['CREATE DATABASE mysql;', 'USE mysql;', ...tables],
    ...['FLUSH PRIVILEGES;', `CREATE USER 'check'@'127.0.0.%';`],
  ].join('\n')
  const { status, stderr } = spawnSync(path, [...args, '--bootstrap'], {
    ...{ input, encoding: 'utf8' },
    env: { ...process.env, ...environment },
  })
  assert.equal(status, 0, stderr)
}

function checks(harness: Harness, port: number, { said, output }: Running): readonly Case[] {
  const check = { type: 'mysql', user: 'check' } as const
  return [
    checking(harness, {
      ...{ name: 'check by MySQL', upstream: `127.0.0.1:${port}?pp=noop`, source: LOGIN, check },
    }),
    checking(harness, {
      ...{ name: 'check by TCP', upstream: `127.0.0.1:${port}?pp=noop`, source: CONNECT, check: {} },
      afterwards: async () => {
        await said(new RegExp(`Aborted connection .* host: '${CONNECT}'`))
        assert.doesNotMatch(output(), new RegExp(`(?:Aborted|denied).*${LOGIN}`))
      },
    }),
    checking(harness, {
      name: 'check by MySQL behind v2 LOCAL',
      ...{ upstream: `127.0.0.1:${port}?pp=v2`, check },
    }),
    checking(harness, {
      ...{ name: 'check by MySQL of a user who is missing', upstream: `127.0.0.1:${port}?pp=noop` },
      check: { type: 'mysql', user: 'missing' },
      fault: /expected OK to the login, got error 1045 "Access denied for user 'missing'/,
    }),
  ]
}
