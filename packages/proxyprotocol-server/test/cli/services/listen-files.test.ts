import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { emptyList, oldCertificate } from 'test-support/named-certificates'
import type { ListenTlsInit } from '../../../src/config/index.ts'
import { runServer } from '../../../src/cli/index.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { configFile } from '../../support/config-file.ts'
import { listen } from '../../support/connections.ts'
import { namedFiles, shownName } from '../../support/named-files.ts'
import { fakeIo, start } from '../../support/program.ts'

async function service(t: TestContext, certificates: ListenTlsInit): Promise<{ file: string; crl: string }> {
  const { cert, source, directory: other } = certificateFiles(t)
  const crl = join(other, 'revoked.pem')
  writeFileSync(crl, emptyList)
  const upstream = await listen(t)
  const listenAt = `${source}&verify=CERT_OPTIONAL&cafile=${cert}`
  const tls = { ...certificates, crl: [crl] }
  const services = [{ listen: listenAt, upstream: `127.0.0.1:${upstream.port}`, tls }]
  return { file: configFile(t, { services, shutdown: { drain: 1 } }), crl }
}

test('a certificate that comes into the directory, and a list of revoked ones, are noticed without a signal', async t => {
  const { directory, write } = namedFiles(t)
  const { file, crl } = await service(t, { directory })
  const { io, ports } = await start(t, runServer, ['--config', file])
  const [port = 0] = ports
  assert.equal(await shownName(t, port, { servername: 'b.example' }), 'b')
  write('b.pem', `${oldCertificate.cert}\n${oldCertificate.key}`)
  await io.line(/ renewed /)
  assert.equal(await shownName(t, port, { servername: 'b.example' }), 'old')
  writeFileSync(crl, 'no list')
  assert.match(
    await io.line(/ not-renewed /),
    /error="listen TLS: .*revoked\.pem.*: it has no list of revoked/,
  )
  assert.equal(await shownName(t, port, { servername: 'b.example' }), 'old')
})

test('a certificate of the list that changes is noticed without a signal', async t => {
  const { directory, write } = namedFiles(t)
  const { file } = await service(t, { certificates: [{ cert: join(directory, 'b.pem') }] })
  const { io, ports } = await start(t, runServer, ['--config', file])
  write('b.pem', `${oldCertificate.cert}\n${oldCertificate.key}`)
  await io.line(/ renewed /)
  assert.equal(await shownName(t, Number(ports[0]), { servername: 'b.example' }), 'old')
})

test('a certificate that cannot be read at start ends the program with code 2', async t => {
  const { directory, write } = namedFiles(t)
  write('b.pem', 'no certificate')
  const { file } = await service(t, { directory })
  const io = fakeIo()
  assert.equal(await runServer(['--config', file], io), 2)
  assert.match(io.errors.join(''), /listen TLS: "cert" ".*b\.pem": it has no certificate in PEM/)
})
