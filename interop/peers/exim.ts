// Exim: a mail server, which speaks first, behind headers of both versions, with TLS and without.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { greeting } from '../asking.ts'
import { ca, certificateFiles } from '../certificates.ts'
import { checking } from '../checking.ts'
import { provide, type Debian } from '../debian.ts'
import type { Case, Peer } from '../peer.ts'
import { receiving, type Target } from '../receiving.ts'
import type { Harness } from '../harness.ts'

/** With libnss_wrapper: it will not run without its own user, who is not on a machine where it is only unpacked. */
const program: Debian = { program: 'exim4', packages: ['exim4-daemon-heavy', 'libnss-wrapper'] }

export const exim: Peer = {
  name: 'exim',
  programs: [program],
  async cases(harness) {
    const { path, environment } = provide(program)
    const [plain, secure] = [await harness.port(), await harness.port()]
    const spool = harness.open('exim')
    const { cert, key } = certificateFiles(harness)
    const lines = [
      `spool_directory = ${spool}`,
      `log_file_path = ${spool}/%slog`,
      'local_interfaces = 127.0.0.1',
      `daemon_smtp_ports = ${plain} : ${secure}`,
      `tls_on_connect_ports = ${secure}`,
      'tls_advertise_hosts =',
      `tls_certificate = ${cert}`,
      `tls_privatekey = ${key}`,
      'hosts_proxy = 127.0.0.1',
      'smtp_banner = $sender_host_address $sender_host_port $proxy_external_address $proxy_external_port',
      'rfc1413_query_timeout = 0s',
      'keep_environment =',
    ]
    const file = harness.file('exim.conf', `${lines.join('\n')}\n`)
    const wrapped = { path, environment: { ...environment, ...withUser(harness) } }
    await harness.start(wrapped, ['-C', file, '-bdf', '-oP', `${spool}/pid`], [plain, secure])
    const check: Target['check'] = (answer, { source, destination }) => {
      assert.equal(answer, `220 ${String(source)} ${String(destination)}\r\n`)
    }
    const targets: readonly Target[] = [
      { name: 'hosts_proxy, SMTP', port: plain, speak: greeting, check },
      { name: 'hosts_proxy, SMTP in TLS', port: secure, tls: true, speak: greeting, check },
    ]
    return [
      ...targets.flatMap(target => receiving(target, harness)),
      ...checks(harness, [plain, secure], join(spool, 'mainlog')),
    ]
  },
}

function checks(harness: Harness, [plain, secure]: readonly number[], log: string): readonly Case[] {
  const authorities = `cafile=${harness.file('ca.pem', ca)}`
  const check = { type: 'smtp' } as const
  const afterwards = (): void =>
    assert.doesNotMatch(readFileSync(log, 'utf8'), /lost|unexpected|dropped|synchroni/)
  return [
    checking(harness, {
      ...{ name: 'check by SMTP', upstream: `127.0.0.1:${String(plain)}?pp=v2`, check, afterwards },
    }),
    checking(harness, {
      name: 'check by SMTP inside TLS',
      upstream: `ssl://127.0.0.1:${String(secure)}?pp=v2&${authorities}`,
      ...{ check, afterwards },
    }),
  ]
}

/** Its user is the one that runs this; root becomes `nobody`, because Exim must not be root. */
function withUser(harness: Harness): Readonly<Record<string, string>> {
  const [uid = 0, gid = 0] = [process.getuid?.(), process.getgid?.()]
  const [user, group] = uid === 0 ? [65_534, 65_534] : [uid, gid]
  const passwd = `Debian-exim:x:${user}:${group}::/:/bin/false\n${readFileSync('/etc/passwd', 'utf8')}`
  const groups = `Debian-exim:x:${group}:\n${readFileSync('/etc/group', 'utf8')}`
  return {
    LD_PRELOAD: 'libnss_wrapper.so',
    NSS_WRAPPER_PASSWD: harness.file('passwd', passwd),
    NSS_WRAPPER_GROUP: harness.file('group', groups),
  }
}
