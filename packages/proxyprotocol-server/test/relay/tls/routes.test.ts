import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { connect } from 'node:tls'
import { decodeHeader, encodeHeader, type ProxyHeader, readTlvs, type TlvValues } from 'proxyprotocol'
import { content } from 'test-support/sockets'
import type { ListenTlsInit } from '../../../src/config/index.ts'
import { clientHello } from '../../support/client-hello.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { dial, listen, type Listener, outcome } from '../../support/connections.ts'
import { namedFiles, refusedWith } from '../../support/named-files.ts'
import { passed, startRelay, type TestRelay } from '../../support/relay.ts'
import { dialSecure } from '../../support/secure.ts'

interface Scene {
  readonly relay: TestRelay
  readonly other: Listener
  readonly routed: Listener
  readonly passing: Listener
}

/** TLS of a.example and h2 goes to `routed`, that of `acme-tls/1` and pass.example to `passing`. */
async function scene(t: TestContext, more: ListenTlsInit = {}, query = ''): Promise<Scene> {
  const [other, routed, passing] = [await listen(t), await listen(t), await listen(t)]
  const relay = await startRelay(t, `127.0.0.1:${other.port}`, {
    source: `${certificateFiles(t).source}&alpn=h2,http/1.1${query}`,
    tls: {
      directory: namedFiles(t).directory,
      routes: [
        { names: ['a.example'], alpn: ['h2'], upstreams: [`127.0.0.1:${routed.port}`] },
        { alpn: ['acme-tls/1'], passthrough: true, upstreams: [`127.0.0.1:${passing.port}`] },
      ],
      ...more,
    },
  })
  return { relay, other, routed, passing }
}

/** What an upstream gets of a client that has ended TLS with the relay. */
async function told(
  t: TestContext,
  { port }: TestRelay,
  to: Listener,
  options: object,
): Promise<TlvValues & { text: string }> {
  const { secure } = dialSecure(t, port, { rejectUnauthorized: false, ...options })
  secure.end('hello')
  const far = await to.accept()
  const { header, text } = read(await content(far))
  far.end()
  secure.resume()
  return { ...readTlvs(header), text }
}

function read(bytes: Buffer): { readonly header: ProxyHeader; readonly text: string } {
  const result = decodeHeader(bytes)
  assert.equal(result.status, 'header')
  return { header: result.header, text: bytes.subarray(result.byteLength).toString() }
}

test('after the handshake name and agreed protocol choose the upstreams', async t => {
  const { relay, other, routed } = await scene(t)
  const h2 = await told(t, relay, routed, { servername: 'a.example', ALPNProtocols: ['h2'] })
  assert.deepEqual([h2.text, h2.alpn, h2.authority, h2.ssl?.version], ['hello', 'h2', 'a.example', 'TLSv1.3'])
  const http1 = await told(t, relay, other, { servername: 'a.example', ALPNProtocols: ['http/1.1'] })
  assert.deepEqual([http1.text, http1.alpn], ['hello', 'http/1.1'])
  const none = await told(t, relay, other, { servername: '' })
  assert.deepEqual([none.text, none.authority], ['hello', undefined])
  const { tls } = await relay.record(0)
  assert.deepEqual(tls, { version: 'TLSv1.3', serverName: 'a.example' })
})

test('routes without passthrough need no look at the ClientHello', async t => {
  const upstream = await listen(t)
  const routed = await listen(t)
  const routes = [{ names: ['a.example'], upstreams: [`127.0.0.1:${routed.port}`] }]
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, {
    source: certificateFiles(t).source,
    tls: { routes },
  })
  assert.equal((await told(t, relay, routed, { servername: 'A.example' })).text, 'hello')
  assert.equal((await told(t, relay, upstream, { servername: 'b.example' })).text, 'hello')
})

test('acme-tls/1 passes through a listener that ends all other TLS', async t => {
  const { relay, passing } = await scene(t)
  const hello = await clientHello({ servername: 'a.example', ALPNProtocols: ['acme-tls/1'] })
  const bytes = await passed(t, relay, passing, hello)
  assert.deepEqual(bytes.subarray(-hello.length), hello)
  assert.equal((await relay.record(0)).tls?.serverName, 'a.example')
})

test('unknownNames "reject" serves the names of certificates and of routes that pass through', async t => {
  const passing = await listen(t)
  const routed = await listen(t)
  const relay = await startRelay(t, [], {
    source: 'ssl://127.0.0.1:0',
    tls: {
      directory: namedFiles(t).directory,
      unknownNames: 'reject',
      routes: [
        { names: ['pass.example'], passthrough: true, upstreams: [`127.0.0.1:${passing.port}`] },
        { names: ['a.example'], upstreams: [`127.0.0.1:${routed.port}`] },
      ],
    },
  })
  const hello = await clientHello({ servername: 'pass.example' })
  assert.deepEqual((await passed(t, relay, passing, hello)).subarray(-hello.length), hello)
  assert.equal((await told(t, relay, routed, { servername: 'a.example' })).text, 'hello')
  for (const servername of ['c.example', '']) {
    assert.equal(await refusedWith(t, relay.port, { servername }), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME')
  }
  await refusedWith(t, relay.port, { servername: 'b.example' })
  const records = await Promise.all([2, 3, 4].map(index => relay.record(index)))
  assert.deepEqual(
    records.map(({ reason, tls }) => [reason, tls?.serverName]),
    [
      ['tls_client_error', 'c.example'],
      ['tls_client_error', undefined],
      ['no_upstream', 'b.example'],
    ],
  )
})

test('behind the look the handshake has its rules, and its faults are in the record with the name', async t => {
  const { relay } = await scene(t, {}, '&minversion=TLSv1.3')
  const old = { servername: 'a.example', maxVersion: 'TLSv1.2' } as const
  assert.equal(await refusedWith(t, relay.port, old), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
  const { reason, tls, error } = await relay.record(0)
  assert.deepEqual([reason, tls?.serverName], ['tls_client_error', 'a.example'])
  assert.match(error?.message ?? '', /unsupported protocol/)
  await outcome(dial(t, relay.port).end())
  assert.equal((await relay.record(1)).reason, 'probe')
})

test('behind the look an invalid client certificate is refused, also where certificates are optional', async t => {
  const { cert, otherCert, otherKey } = certificateFiles(t)
  const { relay, other } = await scene(t, {}, `&verify=CERT_OPTIONAL&cafile=${cert}`)
  assert.equal((await told(t, relay, other, { servername: 'b.example' })).text, 'hello')
  const client = { cert: readFileSync(otherCert), key: readFileSync(otherKey), servername: 'b.example' }
  assert.equal(await refusedWith(t, relay.port, client), 'ECONNRESET')
  assert.equal((await relay.record(1)).reason, 'tls_client_error')
})

test('the look comes behind the header of the proxy in front', async t => {
  const upstream = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, {
    source: `${certificateFiles(t).source}&pp=v2`,
    trust: ['127.0.0.1'],
    tls: { directory: namedFiles(t).directory },
  })
  const ends = { source: { address: '192.0.2.1', port: 1 }, destination: { address: '192.0.2.2', port: 443 } }
  const raw = dial(t, relay.port)
  raw.write(encodeHeader(ends))
  const secure = connect({ socket: raw, servername: 'b.example', rejectUnauthorized: false })
  secure.end('hello')
  const far = await upstream.accept()
  const { header, text } = read(await content(far))
  far.end()
  secure.resume()
  const source = 'source' in header && header.source
  assert.deepEqual([source, readTlvs(header).authority, text], [ends.source, 'b.example', 'hello'])
})

test('a session is resumed over a reload', async t => {
  const { relay, other } = await scene(t)
  const { secure } = dialSecure(t, relay.port, { rejectUnauthorized: false, servername: 'b.example' })
  const sessions = once(secure, 'session') as Promise<[Buffer]>
  secure.resume()
  const [session] = await sessions
  secure.end()
  ;(await other.accept()).end()
  relay.reloadCertificates()
  const again = dialSecure(t, relay.port, {
    rejectUnauthorized: false,
    servername: 'b.example',
    session,
  }).secure
  await once(again, 'secureConnect')
  assert.equal(again.isSessionReused(), true)
  again.end()
})
