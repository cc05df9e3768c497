// Unbound: a DNS resolver that takes version 2 over TCP and UDP; its log names the client.

import assert from 'node:assert/strict'
import { ADDRESS, askTcp, NAME } from '../dns.ts'
import { datagramCase } from '../datagrams.ts'
import { provide, type Debian } from '../debian.ts'
import type { Peer } from '../peer.ts'
import { receiving } from '../receiving.ts'

const program: Debian = { program: 'unbound', packages: ['unbound'], version: ['-V'] }

export const unbound: Peer = {
  name: 'unbound',
  programs: [program],
  async cases(harness) {
    const port = await harness.port()
    const lines = [
      'server:',
      ...['username: ""', 'chroot: ""', 'pidfile: ""', 'use-syslog: no', 'logfile: ""', 'log-queries: yes'],
      ...[`directory: "${harness.folder}"`, 'num-threads: 1', 'module-config: "iterator"'],
      ...[`interface: 127.0.0.1@${port}`, `proxy-protocol-port: ${port}`],
      ...['access-control: 0.0.0.0/0 allow', 'access-control: ::/0 allow'],
      ...['local-zone: "test." static', `local-data: "${NAME}. A ${ADDRESS}"`],
      'remote-control:',
      'control-enable: no',
    ]
    const file = harness.file('unbound.conf', `${lines.join('\n')}\n`)
    const { said } = await harness.start(provide(program), ['-d', '-c', file], [port])
    const logged = (source: string): Promise<unknown> => said(new RegExp(`${source} ${NAME}`))
    const streams = receiving(
      {
        name: 'proxy-protocol-port, DNS over TCP',
        port,
        speak: askTcp,
        versions: [2],
        check: async (answer, { source = '' }) => {
          assert.equal(answer, ADDRESS)
          await logged(String(source.split(' ')[0]))
        },
      },
      harness,
    )
    const datagrams = datagramCase('proxy-protocol-port, DNS over UDP', port, async source => {
      await logged(source)
    })
    return [...streams, datagrams]
  },
}
