// stunnel: as a TLS server it sends version 1 to what is behind it.

import { ca, certificateFiles } from '../certificates.ts'
import { provide, type Debian } from '../debian.ts'
import type { Case, Peer } from '../peer.ts'
import { sending } from '../sending.ts'
import { startServer } from '../servers.ts'

const program: Debian = { program: 'stunnel4', packages: ['stunnel4'], version: ['-version'] }

export const stunnel: Peer = {
  name: 'stunnel',
  programs: [program],
  async cases(harness) {
    const { both } = certificateFiles(harness)
    const lines = ['foreground = yes', 'pid =', 'debug = err']
    const cases: Case[] = []
    const ports: number[] = []
    for (const [kind, host, family] of [
      ['createServer', '127.0.0.1', 'INET'],
      ['createServer', '::1', 'INET6'],
      ['http', '127.0.0.1', 'INET'],
    ] as const) {
      const { place } = await startServer(harness, kind, { host })
      const port = await harness.port()
      const accept = `accept = ${host}:${port}`
      const connect = `connect = ${host}:${(place as { port: number }).port}` // it listens at one
      lines.push(`[${port}]`, accept, connect, `cert = ${both}`, 'protocol = proxy')
      ports.push(port)
      const way = { host, port, tls: { ca, servername: 'localhost' } }
      cases.push(
        sending({ name: `protocol = proxy, ${family}`, kind, way, expected: { version: 1, family } }),
      )
    }
    const file = harness.file('stunnel.conf', `${lines.join('\n')}\n`)
    await harness.start(provide(program), [file], ports)
    return cases
  },
}
