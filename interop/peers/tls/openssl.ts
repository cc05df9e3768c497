// openssl s_client and curl in front of a relay that ends TLS by server name, and openssl s_server behind one that passes it on.

import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { aCertificate, bCertificate, rsaCertificate } from 'test-support/named-certificates'
import { provide, type Program } from '../../debian.ts'
import type { Harness } from '../../harness.ts'
import type { Case } from '../../peer.ts'
import { startService } from '../../relaying.ts'
import { curlProgram } from '../curl.ts'
import { toEnd } from './running.ts'

const ANSWER = 'HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nserved'

export async function clientCases(harness: Harness, program: Program): Promise<readonly Case[]> {
  const port = await startFront(harness, program)
  const ask = (...args: readonly string[]): ReturnType<typeof toEnd> =>
    toEnd(program, ['s_client', '-connect', `127.0.0.1:${port}`, ...args])
  const shows = (name: string, args: readonly string[], expected: RegExp): Case => ({
    direction: 'sends',
    name: `s_client ${args.join(' ')}`,
    run: async () => {
      const { text } = await ask(...args)
      assert.match(text, expected)
      return name
    },
  })
  return [
    shows('ECDSA of a.example', ['-servername', 'x.a.example'], /subject=CN = a\n/),
    shows(
      'RSA of a.example',
      ['-servername', 'a.example', '-sigalgs', 'RSA-PSS+SHA256'],
      /subject=CN = rsa\n/,
    ),
    shows('b.example', ['-servername', 'b.example', '-alpn', 'h2'], /subject=CN = b\n[^]*ALPN protocol: h2/),
    shows('alert 112', ['-servername', 'c.example'], /unrecognized name[^]*SSL alert number 112/),
    shows('alert 112', ['-noservername'], /SSL alert number 112/),
    shows('alert 120', ['-servername', 'a.example', '-alpn', 'smtp'], /SSL alert number 120/),
    shows('alert 70', ['-servername', 'a.example', '-tls1_2'], /SSL alert number 70/),
    shows(
      's_server, through the relay',
      ['-servername', 'a.example', '-alpn', 'acme-tls/1'],
      /subject=CN = rsa\n[^]*ALPN protocol: acme-tls\/1/,
    ),
    fetching(harness, port),
  ]
}

/** Ends TLS for a.example and b.example, and passes `acme-tls/1` on to s_server. */
async function startFront(harness: Harness, program: Program): Promise<number> {
  const pem = (name: string, { cert, key }: { cert: string; key: string }): string =>
    harness.file(name, `${cert}\n${key}\n`)
  const [a, b, rsa] = [pem('a.pem', aCertificate), pem('b.pem', bCertificate), pem('rsa.pem', rsaCertificate)]
  const [behind, plain] = [await harness.port(), await harness.port()]
  await harness.start(
    program,
    ['s_server', '-accept', `127.0.0.1:${behind}`, '-cert', rsa, '-key', rsa, '-alpn', 'acme-tls/1', '-www'],
    [behind],
  )
  const server = createServer(socket => {
    socket.once('data', () => socket.end(ANSWER)).on('error', () => undefined)
  }).listen(plain, '127.0.0.1')
  harness.atEnd(() => server.close())
  return startService(harness, {
    listen: 'ssl://127.0.0.1:0?alpn=h2,http/1.1&minversion=TLSv1.3',
    upstream: `127.0.0.1:${plain}?pp=noop`,
    tls: {
      certificates: [a, b, rsa].map(cert => ({ cert })),
      unknownNames: 'reject',
      routes: [{ alpn: ['acme-tls/1'], passthrough: true, upstreams: [`127.0.0.1:${behind}?pp=noop`] }],
    },
  })
}

function fetching(harness: Harness, port: number): Case {
  const authority = harness.file('a.crt', aCertificate.cert)
  return {
    direction: 'sends',
    name: 'curl https://a.example/, which checks the certificate',
    run: async () => {
      const { text } = await toEnd(provide(curlProgram), [
        ...['--disable', '--silent', '--show-error', '--noproxy', '*', '--http1.1', '--cacert', authority],
        ...['--resolve', `a.example:${port}:127.0.0.1`, `https://a.example:${port}/`],
      ])
      assert.equal(text, 'served')
      return text
    },
  }
}
