// Knot Resolver: it takes version 2 from net.proxy_allowed; its log names the client.

import { datagramCase } from '../datagrams.ts'
import { inPlace, provide, type Debian } from '../debian.ts'
import { ADDRESS, NAME } from '../dns.ts'
import type { Peer } from '../peer.ts'

/** With proot, which shows it its modules where it looks for them. */
const program: Debian = { program: 'kresd', packages: ['knot-resolver', 'proot'], version: ['--version'] }
const PLACES = ['/usr/lib/x86_64-linux-gnu/knot-resolver', '/usr/share/dns']

export const knotResolver: Peer = {
  name: 'knot-resolver',
  programs: [program],
  async cases(harness) {
    const port = await harness.port()
    const lines = [
      `net.listen('127.0.0.1', ${port}, { kind = 'dns' })`,
      "net.proxy_allowed({ '127.0.0.0/8' })",
      'cache.size = 1 * MB',
      "modules.unload('ta_update')",
      'trust_anchors.remove(".")',
      "log_groups({ 'io' })",
      `policy.add(policy.domains(policy.ANSWER({ [kres.type.A] = { rdata = kres.str2ip('${ADDRESS}'), ttl = 0 } }), { todname('${NAME}') }))`,
    ]
    const file = harness.file('kresd.conf', `${lines.join('\n')}\n`)
    const started = inPlace(provide(program), PLACES)
    const args = [...started.args, '-n', '-q', '-c', file, harness.folder]
    const { said } = await harness.start(started, args, [port])
    return [
      datagramCase('net.proxy_allowed, DNS over UDP', port, async source => {
        await said(new RegExp(`UDP query from '${source}#`))
      }),
    ]
  },
}
