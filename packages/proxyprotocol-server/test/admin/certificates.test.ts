// When the certificates of a program expire, as metrics and statistics say it.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { certificate, clientCertificate, otherCertificate } from 'test-support/certificates'
import type { StatsDocument } from '../../src/figures/index.ts'
import { runServer } from '../../src/cli/index.ts'
import { certificateFiles } from '../support/certificate-files.ts'
import { configFile } from '../support/config-file.ts'
import { ask } from '../support/http.ts'
import { start } from '../support/program.ts'
import { endsWell, metric, startWorkers } from '../support/workers.ts'

const NAME = 'proxyprotocol_certificate_expiry_timestamp_seconds'

/** In seconds since 1970. */
function expiryOf({ cert }: { readonly cert: string }): number {
  return Date.parse(new X509Certificate(cert).validTo) / 1_000
}

test('the expiry of each certificate is shown once for each service and file, and follows a renewal', async t => {
  assert.notEqual(expiryOf(certificate), expiryOf(otherCertificate))
  const { cert, key, source, clientCert, clientKey } = certificateFiles(t)
  const upstream = `ssl://localhost:1?cert=${clientCert}&key=${clientKey}`
  const routes = [{ names: ['a.example'], upstreams: [{ name: 'routed', address: upstream }] }]
  const services = [
    { name: 'web', listen: source, upstream: '127.0.0.1:1' },
    {
      ...{ name: 'both', listen: '127.0.0.1:0', passthrough: { routes } },
      upstreams: [{ name: 'a', address: upstream }, 'ssl://localhost:2'],
    },
    { name: 'plain', listen: '127.0.0.1:0', upstream: '127.0.0.1:1' },
  ]
  const file = configFile(t, { services, admin: { listen: '127.0.0.1:0' } })
  const { io } = await start(t, runServer, ['--config', file], { listeners: 3 })
  const port = Number(/ admin address=127\.0\.0\.1:(\d+)/.exec(io.written.join(''))?.[1])
  const expected = {
    [`service="web",role="listen",file="${cert}"`]: expiryOf(certificate),
    [`service="both",role="upstream",file="${clientCert}"`]: expiryOf(clientCertificate),
  }
  assert.deepEqual(await metric(port, NAME), expected)

  writeFileSync(cert, otherCertificate.cert)
  io.send('SIGHUP')
  await io.line(/ not-renewed /)
  assert.deepEqual(await metric(port, NAME), expected, 'the one in use counts, and no file that was refused')

  writeFileSync(key, otherCertificate.key)
  writeFileSync(clientCert, `${clientCertificate.cert}\n${otherCertificate.cert}`)
  io.send('SIGHUP')
  await io.line(/ renewed service=web /)
  await io.line(/ renewed service=both /)
  const soonest = Math.min(expiryOf(clientCertificate), expiryOf(otherCertificate))
  assert.deepEqual(Object.values(await metric(port, NAME)), [expiryOf(otherCertificate), soonest])
  const document = JSON.parse((await ask(port, '/stats.json')).body) as StatsDocument
  assert.deepEqual(
    document.services.map(({ certificates }) => certificates),
    [
      [{ role: 'listen', file: cert, expires: new Date(expiryOf(otherCertificate) * 1_000).toISOString() }],
      [{ role: 'upstream', file: clientCert, expires: new Date(soonest * 1_000).toISOString() }],
      [],
    ],
  )
})

test('with workers each certificate is shown once, and the start is that of the program, to the last digit', async t => {
  const { cert, source } = certificateFiles(t)
  const { child, adminPort } = await startWorkers(t, ['--service', source, '127.0.0.1:1'])
  const labels = `service="ssl://127.0.0.1:0",role="listen",file="${cert}"`
  assert.deepEqual(await metric(adminPort, NAME), { [labels]: expiryOf(certificate) })
  const starts = [
    await metric(adminPort, 'process_start_time_seconds'),
    await metric(adminPort, 'process_start_time_seconds'),
  ]
  assert.deepEqual(starts[0], starts[1])
  await endsWell(child)
})
