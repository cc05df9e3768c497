// Certificates that are exchanged under connections: on SIGHUP, by an editor, by Kubernetes, and by somebody who makes a mistake.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runServer } from '../../src/cli/index.ts'
import { certificate, certificateFiles, directory, otherCertificate } from '../support/certificates.ts'
import { start } from '../support/program.ts'
import { dialSecure, type Secure } from '../support/secure.ts'
import { chunk, listen } from '../support/sockets.ts'

async function connected(t: TestContext, port: number): Promise<Secure & { readonly name: unknown }> {
  const ends = dialSecure(t, port, { rejectUnauthorized: false })
  await once(ends.secure, 'secureConnect')
  return { ...ends, name: ends.secure.getPeerCertificate().subject.CN }
}

test('on SIGHUP new connections get the new certificate, open ones go on, and a wrong one changes nothing', async t => {
  const { cert, key, source } = certificateFiles(t)
  const upstream = await listen(t)
  const { io, ports } = await start(t, runServer, ['--service', source, `127.0.0.1:${upstream.port}?pp=noop`])
  const [port = 0] = ports
  const before = await connected(t, port)
  assert.equal(before.name, 'localhost')
  const far = await upstream.accept()

  writeFileSync(cert, otherCertificate.cert)
  io.send('SIGHUP')
  assert.match(
    await io.line(/ not-renewed /),
    /service=\S+ error="listen TLS: .*its key is not that of the certificate/,
  )
  assert.equal((await connected(t, port)).name, 'localhost')

  writeFileSync(key, otherCertificate.key)
  io.send('SIGHUP')
  await io.line(/ renewed /)
  assert.equal((await connected(t, port)).name, 'other')

  before.secure.write('still here')
  assert.equal((await chunk(far)).toString(), 'still here')
})

test('a file that takes the place of another, and a link beside it that is exchanged, are noticed without a signal', async t => {
  const at = directory(t)
  const version = (name: string, { cert, key }: { cert: string; key: string }): void => {
    mkdirSync(join(at, name))
    writeFileSync(join(at, name, 'tls.crt'), cert)
    writeFileSync(join(at, name, 'tls.key'), key)
  }
  version('..1', certificate)
  symlinkSync('..1', join(at, '..data'))
  for (const file of ['tls.crt', 'tls.key']) symlinkSync(join('..data', file), join(at, file))
  const source = `ssl://127.0.0.1:0?cert=${join(at, 'tls.crt')}&key=${join(at, 'tls.key')}`
  const { io, ports } = await start(t, runServer, ['--service', source, '127.0.0.1:1'])
  const [port = 0] = ports
  assert.equal((await connected(t, port)).name, 'localhost')

  version('..2', otherCertificate)
  symlinkSync('..2', join(at, '..new'))
  renameSync(join(at, '..new'), join(at, '..data'))
  rmSync(join(at, '..1'), { recursive: true })
  await io.line(/ renewed service=\S+ address=ssl:/)
  assert.equal((await connected(t, port)).name, 'other')

  for (const [file, text] of [
    ['tls.crt', certificate.cert],
    ['tls.key', certificate.key],
  ] as const) {
    writeFileSync(join(at, 'new'), text)
    renameSync(join(at, 'new'), join(at, file))
  }
  await io.line(/ renewed /, 1)
  assert.equal((await connected(t, port)).name, 'localhost')
})

test('a directory that cannot be watched is said, and keeps nothing from running', async t => {
  const { source } = certificateFiles(t)
  const { CertificateWatch } = await import('../../src/cli/certificate-watch.ts')
  const { fakeIo } = await import('../support/program.ts')
  const { createRelay, parseService } = await import('../../src/index.ts')
  const relay = createRelay(parseService(source, '127.0.0.1:1'))
  const { listen: address } = relay.service
  assert.ok(address.tls)
  const gone = { ...address, tls: { ...address.tls, cert: '/nowhere/cert.pem', capath: '/nowhere/else' } }
  const io = fakeIo()
  const watch = new CertificateWatch(io, () => [{ ...relay, service: { ...relay.service, listen: gone } }])
  watch.watch()
  assert.match(io.written.join(''), / not-watched directory=\/nowhere error=.*ENOENT/)
  watch.stop()
  await relay.server.abort()
})

test('the directories of upstreams by server name are watched as well', async t => {
  const { cert } = certificateFiles(t)
  const { CertificateWatch } = await import('../../src/cli/certificate-watch.ts')
  const { fakeIo } = await import('../support/program.ts')
  const { createRelay, parseService } = await import('../../src/index.ts')
  const routes = [{ names: ['a.example'], upstreams: [`ssl://127.0.0.1:1?cafile=${cert}`] }]
  const relay = createRelay(parseService(':1', '127.0.0.1:1', { passthrough: { routes } }))
  rmSync(dirname(cert), { recursive: true })
  const io = fakeIo()
  const watch = new CertificateWatch(io, () => [relay])
  watch.watch()
  assert.ok(io.written.join('').includes(` not-watched directory=${dirname(cert)} `))
  watch.stop()
  await relay.server.abort()
})
