// Dovecot: an IMAP server, which speaks first, behind headers of both versions, with TLS and without; its log names the client.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { greeting } from '../asking.ts'
import { certificateFiles } from '../certificates.ts'
import { inPlace, provide, type Debian } from '../debian.ts'
import type { Peer } from '../peer.ts'
import { receiving, type Target } from '../receiving.ts'

/** With proot, which shows it its modules where it looks for them. */
const program: Debian = { program: 'dovecot', packages: ['dovecot-imapd', 'proot'] }

export const dovecot: Peer = {
  name: 'dovecot',
  programs: [program],
  async cases(harness) {
    const [plain, secure] = [await harness.port(), await harness.port()]
    const { cert, key } = certificateFiles(harness)
    const listener = (name: string, port: number, more = ''): string =>
      `inet_listener ${name} {\n address = 127.0.0.1\n port = ${port}\n haproxy = yes\n ${more}\n}`
    const lines = [
      `base_dir = ${harness.open('run')}`,
      `state_dir = ${harness.open('state')}`,
      'log_path = /dev/stderr',
      'protocols = imap',
      ...users(),
      'import_environment = LD_LIBRARY_PATH',
      'haproxy_trusted_networks = 127.0.0.0/8',
      `ssl_cert = <${cert}`,
      `ssl_key = <${key}`,
      'service imap-login {\n chroot =',
      listener('imap', plain),
      listener('imaps', secure, 'ssl = yes'),
      '}',
      'service anvil {\n chroot =\n}',
      'service stats {\n chroot =\n}',
      `mail_location = maildir:${harness.folder}`,
      'passdb {\n driver = static\n args = nopassword=y\n}',
    ]
    const file = harness.file('dovecot.conf', `${lines.join('\n')}\n`)
    const started = inPlace(provide(program), ['/usr/lib/dovecot', '/usr/bin/doveconf'])
    const args = [...started.args, '-F', '-c', file]
    const { said } = await harness.start(started, args, [plain, secure])
    const check: Target['check'] = async (answer, { source = '', destination = '' }) => {
      assert.match(answer, /^\* OK /)
      const [client, server] = [source, destination].map(end => String(end.split(' ')[0]))
      await said(new RegExp(`rip=${String(client)}, lip=${String(server)}`))
    }
    const targets: readonly Target[] = [
      { name: 'haproxy = yes, IMAP', port: plain, speak: greeting, check },
      { name: 'haproxy = yes, IMAP in TLS', port: secure, tls: true, speak: greeting, check },
    ]
    return targets.flatMap(target => receiving(target, harness))
  },
}

/** Those who do its work: not root, which it refuses, but the user that runs this. */
function users(): readonly string[] {
  const { uid, gid, username } = userInfo()
  const group = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find(line => line.split(':')[2] === String(gid))
  const [login, own, ownGroup] =
    uid === 0 ? ['nobody', 'daemon', 'daemon'] : [username, username, String(group?.split(':')[0])]
  return [
    `default_login_user = ${login}`,
    `default_internal_user = ${own}`,
    `default_internal_group = ${ownGroup}`,
  ]
}
