// Apache httpd: mod_remoteip takes both versions, with TLS behind them and without; of the client it tells the address alone.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { certificateFiles } from '../certificates.ts'
import { provide, type Debian } from '../debian.ts'
import type { Peer } from '../peer.ts'
import { receiving, type Target } from '../receiving.ts'

const program: Debian = { program: 'apache2', packages: ['apache2-bin'], version: ['-v'] }
const MODULES = ['mpm_event', 'authz_core', 'alias', 'remoteip', 'socache_shmcb', 'ssl']

export const apache: Peer = {
  name: 'apache',
  programs: [program],
  async cases(harness) {
    const apache2 = provide(program)
    const { cert, key } = certificateFiles(harness)
    const [plain, secure] = [await harness.port(), await harness.port()]
    const folder = join(apache2.root, '/usr/lib/apache2/modules')
    const host = (port: number, lines = ''): string =>
      `Listen 127.0.0.1:${port}\n<VirtualHost 127.0.0.1:${port}>\nRemoteIPProxyProtocol On\n${lines}</VirtualHost>`
    const lines = [
      `ServerRoot ${harness.folder}`,
      'ServerName localhost',
      `DefaultRuntimeDir ${harness.folder}`,
      `PidFile ${harness.folder}/apache2.pid`,
      'ErrorLog error.log',
      ...MODULES.map(name => `LoadModule ${name}_module ${folder}/mod_${name}.so`),
      'User nobody',
      'Group nogroup',
      'Redirect 404 /',
      'ErrorDocument 404 "%{REMOTE_ADDR}"',
      `DocumentRoot ${harness.folder}`,
      host(plain),
      host(secure, `SSLEngine on\nSSLCertificateFile ${cert}\nSSLCertificateKeyFile ${key}\n`),
    ]
    const file = harness.file('apache2.conf', `${lines.join('\n')}\n`)
    await harness.start(apache2, ['-DFOREGROUND', '-f', file], [plain, secure])
    const check: Target['check'] = (answer, { source }) => {
      assert.equal(answer, source?.split(' ')[0])
    }
    const targets: readonly Target[] = [
      { name: 'mod_remoteip, http', port: plain, speak: 'http', check },
      { name: 'mod_remoteip, https', port: secure, tls: true, speak: 'http', check },
    ]
    return targets.flatMap(target => receiving(target, harness))
  },
}
