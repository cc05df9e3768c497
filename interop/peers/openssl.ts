// OpenSSL: a TLS server without anything inside, as an upstream whose TLS passes through, and clients of the relay's own TLS.

import { certificateFiles } from '../certificates.ts'
import { checking } from '../checking.ts'
import { provide, type Debian } from '../debian.ts'
import type { Peer } from '../peer.ts'
import { curlProgram } from './curl.ts'
import { clientCases } from './tls/openssl.ts'

const program: Debian = { program: 'openssl', packages: ['openssl'], version: ['version'] }

export const openssl: Peer = {
  name: 'openssl',
  always: true,
  programs: [program, curlProgram],
  async cases(harness) {
    const { cert, key } = certificateFiles(harness)
    const port = await harness.port()
    const certificates = ['-cert', cert, '-key', key, '-cert2', cert, '-key2', key]
    const args = [
      's_server',
      '-accept',
      `127.0.0.1:${port}`,
      ...certificates,
      '-servername',
      'app.example',
      '-servername_fatal',
      '-www',
    ]
    await harness.start(provide(program), args, [port])
    const upstream = `127.0.0.1:${port}?pp=noop`
    return [
      checking(harness, { name: 's_server, check by TLS', upstream, check: { type: 'tls' } }),
      checking(harness, {
        name: 's_server, check by TLS with a name',
        upstream,
        check: { type: 'tls', servername: 'app.example' },
      }),
      checking(harness, {
        name: 's_server, check by TLS with a name that it does not know',
        upstream,
        check: { type: 'tls', servername: 'other.example' },
        fault: /unrecognized name/,
      }),
      ...(await clientCases(harness, provide(program))),
    ]
  },
}
