// Hitch: it ends TLS, and sends version 1, or version 2 with what it knows of the TLS.

import { ca, certificateFiles } from '../certificates.ts'
import { provide, type Debian } from '../debian.ts'
import type { Case, Peer } from '../peer.ts'
import { sending, type Expected } from '../sending.ts'
import { startServer } from '../servers.ts'
import type { Harness } from '../harness.ts'

const program: Debian = { program: 'hitch', packages: ['hitch'], version: ['--version'] }
const kind = 'createServer'

export const hitch: Peer = {
  name: 'hitch',
  programs: [program],
  async cases(harness) {
    const v1 = await start(harness, ['write-proxy-v1 = on'])
    const v2 = await start(harness, ['write-proxy-v2 = on', 'proxy-tlv = off'])
    const tlvs = await start(harness, ['write-proxy-v2 = on', 'proxy-tlv = on'])
    const tls = { ca, servername: 'localhost', ALPNProtocols: ['http/1.1'] }
    const from = (port: number, expected: Expected, name: string): Case =>
      sending({ name, kind, way: { port, tls, localAddress: '127.0.0.9' }, expected })
    const told = { version: 2, alpn: 'http/1.1', authority: 'localhost' }
    const ssl = { version: 'TLSv1.3', verified: false }
    return [
      from(v1, { version: 1, family: 'INET' }, 'write-proxy-v1'),
      from(v2, { version: 2, family: 'INET', alpn: 'http/1.1' }, 'write-proxy-v2'),
      from(tlvs, { ...told, ssl }, 'write-proxy-v2, proxy-tlv'),
    ]
  },
}

/** A process for each way of sending; it will not work as root, so that another user does. */
async function start(harness: Harness, lines: readonly string[]): Promise<number> {
  const { place } = await startServer(harness, kind)
  const { host, port: to } = place as { host: string; port: number } // it listens at one
  const port = await harness.port()
  const { both } = certificateFiles(harness)
  const config = [
    `frontend = "[127.0.0.1]:${port}"`,
    `backend = "[${host}]:${to}"`,
    `pem-file = "${both}"`,
    'alpn-protos = "h2,http/1.1"',
    'workers = 1',
    'daemon = off',
    'ocsp-dir = ""',
    ...(process.getuid?.() === 0 ? ['user = "nobody"', 'group = "nogroup"'] : []),
    ...lines,
  ]
  const file = harness.file(`hitch-${port}.conf`, `${config.join('\n')}\n`)
  await harness.start(provide(program), [`--config=${file}`], [port])
  return port
}
