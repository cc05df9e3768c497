// HAProxy in front of our servers, where it ends the clients' TLS and tells of it.

import assert from 'node:assert/strict'
import { TLSSocket, type ConnectionOptions } from 'node:tls'
import { askOn, open, speak, type Way } from '../../asking.ts'
import { ca, certificateFiles, CLIENT_CN, clientTls } from '../../certificates.ts'
import type { Case } from '../../peer.ts'
import { checkSeen, describe, sending, type Expected } from '../../sending.ts'
import { startServer } from '../../servers.ts'
import { idOf } from './plain.ts'
import type { Sections } from './sections.ts'

const kind = 'createServer'
const OPTIONS = 'ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id'
/** The bits of the field `client`: TLS, a certificate on this connection, one in this session. */
const [SSL, ON_CONNECTION, IN_SESSION] = [1, 2, 4]
const CERTIFIED = { client: SSL | ON_CONNECTION | IN_SESSION, verified: true, cn: CLIENT_CN }
const tls: ConnectionOptions = { ca, servername: 'localhost', ALPNProtocols: ['http/1.1'] }
const withCertificate: ConnectionOptions = { ...tls, ...clientTls }

export async function fromTls(sections: Sections): Promise<readonly Case[]> {
  const { both, cert } = certificateFiles(sections.harness)
  const { place } = await startServer(sections.harness, kind)
  const bind = `ssl crt ${both} alpn h2,http/1.1 ca-file ${cert} verify optional`
  const front = (options: string): Promise<number> => sections.forward(place, options, { bind })
  const port = await front(`send-proxy-v2 proxy-v2-options ${OPTIONS}`)
  const justSsl = { client: CERTIFIED.client, verified: true, version: 'TLSv1.3', cn: undefined }
  const line = { port: await front('send-proxy'), tls: withCertificate }
  const ssl = { port: await front('send-proxy-v2-ssl'), tls: withCertificate }
  const cn = { port: await front('send-proxy-v2-ssl-cn'), tls: withCertificate }
  return [
    sending({ name: 'send-proxy, from TLS', kind, way: line, expected: { version: 1, ssl: undefined } }),
    sending({ name: 'send-proxy-v2-ssl', kind, way: ssl, expected: { ssl: justSsl } }),
    sending({
      name: 'send-proxy-v2-ssl-cn',
      kind,
      way: cn,
      expected: { ssl: { ...justSsl, cn: CLIENT_CN } },
    }),
    told('no client certificate', { port, tls }, { client: SSL, verified: false, cn: undefined }),
    told('a client certificate', { port, tls: withCertificate }, CERTIFIED),
    resumed('TLSv1.2', port),
    resumed('TLSv1.3', port),
  ]
}

/** All that can be told at once. */
function told(name: string, way: Way, ssl: Expected['ssl']): Case {
  const expected = allOf({ version: 'TLSv1.3', ...ssl })
  return sending({ name: `send-proxy-v2 with all options and ${name}`, kind, way, expected })
}

function allOf(ssl: Expected['ssl']): (answer: { client: { source: string | undefined } }) => Expected {
  return ({ client }) => ({
    ...{ version: 2, checksum: true, alpn: 'http/1.1', authority: 'localhost' },
    ...{ uniqueId: idOf(client.source), ssl: { keyAlg: 'EC256', ...ssl } },
  })
}

/** In a session resumed the certificate is not shown again. */
function resumed(version: 'TLSv1.2' | 'TLSv1.3', port: number): Case {
  return {
    direction: 'sends',
    name: `send-proxy-v2 with all options, a ${version} session with a client certificate resumed to ${kind}`,
    run: async () => {
      const way = { port, tls: { ...withCertificate, minVersion: version, maxVersion: version } }
      const socket = await open({ ...way, tls: { ...way.tls, session: await sessionOf(way) } })
      assert.ok(socket instanceof TLSSocket && socket.isSessionReused(), 'the session was not resumed')
      const answer = await askOn(socket, kind)
      checkSeen(answer, allOf({ version, client: SSL | IN_SESSION, verified: true, cn: CLIENT_CN })(answer))
      return describe(answer.seen)
    },
  }
}

async function sessionOf(way: Way): Promise<Buffer<ArrayBuffer> | undefined> {
  const socket = await open(way)
  assert.ok(socket instanceof TLSSocket)
  let session = socket.getSession()
  socket.on('session', (later: Buffer<ArrayBuffer>) => void (session = later))
  await speak(kind, socket)
  return session
}
