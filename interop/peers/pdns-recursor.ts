// PowerDNS Recursor: a DNS resolver that takes version 2 from proxy-protocol-from; its log names the client.

import { datagramCase } from '../datagrams.ts'
import { provide, type Debian } from '../debian.ts'
import { ADDRESS } from '../dns.ts'
import type { Peer } from '../peer.ts'

const program: Debian = { program: 'pdns_recursor', packages: ['pdns-recursor'], version: ['--version'] }

export const pdnsRecursor: Peer = {
  name: 'pdns-recursor',
  programs: [program],
  async cases(harness) {
    const port = await harness.port()
    const hook = `function preresolve(dq) dq:addAnswer(pdns.A, "${ADDRESS}") return true end\n`
    const lines = [
      ...['local-address=127.0.0.1', `local-port=${port}`, 'proxy-protocol-from=127.0.0.0/8'],
      ...[
        'allow-from=0.0.0.0/0,::/0',
        'daemon=no',
        'disable-syslog=yes',
        'write-pid=no',
        'security-poll-suffix=',
      ],
      ...[`socket-dir=${harness.folder}`, 'threads=1', 'quiet=no', 'loglevel=6', 'disable-packetcache=yes'],
      `lua-dns-script=${harness.file('hook.lua', hook)}`,
    ]
    harness.file('recursor.conf', `${lines.join('\n')}\n`)
    const { said } = await harness.start(provide(program), [`--config-dir=${harness.folder}`], [port])
    return [
      datagramCase('proxy-protocol-from, DNS over UDP', port, async source => {
        await said(new RegExp(`remote="\\[?${source}\\]?:5353 `))
      }),
    ]
  },
}
