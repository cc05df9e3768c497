// MariaDB: a server that speaks first, behind headers of both versions; its log names the client.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { greeting } from '../asking.ts'
import { provide, type Debian } from '../debian.ts'
import type { Peer } from '../peer.ts'
import { receiving } from '../receiving.ts'

const program: Debian = { program: 'mariadbd', packages: ['mariadb-server-core'], version: ['--version'] }

export const mariadb: Peer = {
  name: 'mariadb',
  programs: [program],
  async cases(harness) {
    const mariadbd = provide(program)
    const port = await harness.port()
    const data = harness.open('mariadb')
    const args = [
      ...['--no-defaults', ...(process.getuid?.() === 0 ? ['--user=root'] : [])],
      ...[`--datadir=${data}`, '--skip-grant-tables', '--innodb=OFF', '--default-storage-engine=MyISAM'],
      ...['--bind-address=127.0.0.1', `--port=${port}`, '--skip-name-resolve', `--pid-file=${data}/pid`],
      ...[`--socket=${data}/s.sock`, `--lc-messages-dir=${join(mariadbd.root, '/usr/share/mysql')}`],
      ...['--proxy-protocol-networks=127.0.0.1', '--log-warnings=9'],
    ]
    const { said } = await harness.start(mariadbd, args, [port])
    return receiving(
      {
        name: 'proxy-protocol-networks',
        port,
        speak: greeting,
        check: async (answer, { source = '' }) => {
          assert.match(answer, /mysql_native_password/)
          await said(new RegExp(`unauthenticated' host: '${String(source.split(' ')[0])}'`))
        },
      },
      harness,
    )
  },
}
