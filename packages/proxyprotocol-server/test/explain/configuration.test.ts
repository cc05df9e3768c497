import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  encodeHeader,
  parseHeader,
  tlv,
  type EncodeOptions,
  type HeaderInit,
  type ProxyHeader,
} from 'proxyprotocol'
import { createServer, requireChecksum } from 'proxyprotocol/server'
import { parseAddress, parseService } from '../../src/config/index.ts'
import { receivers, senders, sentBy, type Sent } from '../../src/explain/index.ts'

const ends = {
  source: { address: '192.0.2.1', port: 56324 },
  destination: { address: '198.51.100.7', port: 443 },
}

function header(init: HeaderInit, options?: EncodeOptions): ProxyHeader {
  return parseHeader(encodeHeader(init, options))
}

function textOf(sent: Sent, program: string): string {
  return senders(sent, '10.0.0.20:8443').find(line => line.program === program)?.text ?? ''
}

test('senders are set by what a header shows of them', () => {
  const secure = tlv.ssl({
    version: 'TLSv1.3',
    cn: 'a',
    certOnConnection: true,
    cipher: 'c',
    sigAlg: 's',
    keyAlg: 'k',
  })
  const tlvs = [secure, tlv.authority('a.example'), tlv.uniqueId('x')]
  const all = sentBy(header({ ...ends, tlvs }, { checksum: true }))
  assert.equal(
    textOf(all, 'HAProxy'),
    'server app1 10.0.0.20:8443 send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id',
  )
  assert.match(senders(all, 'a:1')[0]?.note ?? '', /unique-id-format/)
  assert.equal(textOf(sentBy(header(ends)), 'HAProxy'), 'server app1 10.0.0.20:8443 send-proxy-v2')
  assert.equal(
    textOf(sentBy(header({ ...ends, version: 1 })), 'HAProxy'),
    'server app1 10.0.0.20:8443 send-proxy',
  )
  const check = sentBy(header({ command: 'LOCAL' }))
  assert.equal(textOf(check, 'HAProxy'), 'server app1 10.0.0.20:8443 check send-proxy-v2')
  assert.match(senders(check, 'a:1')[0]?.note ?? '', /health checks/)
})

test('who cannot send a version says so instead of a line', () => {
  assert.equal(textOf({ version: 2 }, 'nginx'), '')
  assert.equal(textOf({ version: 1 }, 'nginx'), 'proxy_pass 10.0.0.20:8443;\nproxy_protocol on;')
  assert.equal(textOf({ version: 1 }, 'AWS NLB'), '')
  assert.match(textOf({ version: 2 }, 'AWS NLB'), /Key=proxy_protocol_v2\.enabled,Value=true$/)
})

test('without a header each is told to leave it out, and TLS comes behind a header', () => {
  assert.equal(textOf({ version: undefined }, 'HAProxy'), 'server app1 10.0.0.20:8443')
  assert.equal(textOf({ version: undefined }, 'nginx'), 'proxy_pass 10.0.0.20:8443;\nproxy_protocol off;')
  assert.match(textOf({ version: undefined }, 'AWS NLB'), /Value=false$/)
  const tls = { version: 1, tls: true } as const
  assert.equal(
    textOf(tls, 'HAProxy'),
    'server app1 10.0.0.20:8443 send-proxy ssl verify required ca-file ca.pem',
  )
  assert.equal(textOf(tls, 'nginx'), 'proxy_pass 10.0.0.20:8443;\nproxy_protocol on;\nproxy_ssl on;')
})

test('the addresses for proxyprotocol-server are such, and say what is to be sent', () => {
  for (const [sent, pp, secure] of [
    [{ version: 1 }, 'v1', false],
    [{ version: 2, tls: true }, undefined, true],
    [{ version: undefined }, 'noop', false],
  ] as const) {
    const [, text = ''] = / '(\S+)'$/.exec(textOf(sent, 'proxyprotocol-server')) ?? []
    const address = parseAddress(text, { role: 'upstream' })
    assert.deepEqual([address.pp, address.tls !== undefined], [pp, secure])
  }
})

test('receivers expect the version that came, and a checksum where one came', async () => {
  const plain = receivers(header({ ...ends, version: 1 }))
  assert.deepEqual(
    plain.map(({ program }) => program),
    ['attach', 'createServer', 'proxyprotocol-server', 'HAProxy', 'nginx'],
  )
  for (const { text } of plain.slice(0, 3)) assert.match(text, /v1/)
  assert.ok(plain.every(({ text }) => !text.includes('requireChecksum')))
  const [attached, created, relay] = receivers(header(ends, { checksum: true }))
  const options = "{ trust: ['10.0.0.7'], version: 'v2', validate: requireChecksum }"
  for (const line of [attached, created]) assert.ok(line?.text.includes(options))
  await createServer({ trust: ['10.0.0.7'], version: 'v2', validate: requireChecksum }, () => {}).close()
  const [, listen = '', upstream = ''] = /--service '(\S+)' (\S+)$/.exec(relay?.text ?? '') ?? []
  assert.equal(parseService(listen, upstream, { trust: ['10.0.0.7'] }).listen.pp, 'v2')
})
