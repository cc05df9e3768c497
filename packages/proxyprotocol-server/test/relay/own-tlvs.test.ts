// TLVs of the operator's own in the headers that upstreams get.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { decodeHeader, encodeHeader, tlv, type HeaderInit, type ProxyHeader, type Tlv } from 'proxyprotocol'
import { temporaryFolder } from 'test-support/folder'
import { certificateFiles } from '../support/certificate-files.ts'
import { clientHello } from '../support/client-hello.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'
import { dialSecure } from '../support/secure.ts'
import { chunk, dial, listen, type Listener } from '../support/connections.ts'

const source = { address: '192.0.2.1', port: 56_324 }
const destination = { address: '198.51.100.7', port: 443 }

interface Started {
  readonly relay: TestRelay
  /** The header of the next connection, its TLVs by type. */
  readonly header: () => Promise<ProxyHeader>
}

async function started(t: TestContext, options: Parameters<typeof startRelay>[2]): Promise<Started> {
  const upstream: Listener = await listen(t)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}`, options)
  const header = async (): Promise<ProxyHeader> => {
    const result = decodeHeader(await chunk(await upstream.accept()))
    assert.equal(result.status, 'header')
    return result.header
  }
  return { relay, header }
}

function textOf({ tlvs }: ProxyHeader, type: number): readonly string[] {
  return tlvs.filter(each => each.type === type).map(({ value }) => Buffer.from(value).toString())
}

const tlvs = { '0xE1': 'text:edge', '0xE2': 'hex:00ff', '0xE3': 'fact:service', '0xE4': 'fact:peer' }
const facts = { '0xE5': 'fact:sni', '0xE6': 'fact:alpn' }

test('own TLVs stand in the header of each connection; a fact that is not known has none', async t => {
  const { relay, header } = await started(t, { name: 'web', tlvs: { ...tlvs, ...facts } })
  dial(t, relay.port)
  const sent = await header()
  assert.deepEqual(textOf(sent, 0xe1), ['edge'])
  assert.deepEqual(sent.tlvs.find(({ type }) => type === 0xe2)?.value, Uint8Array.of(0, 255))
  assert.deepEqual(textOf(sent, 0xe3), ['web'])
  assert.deepEqual(textOf(sent, 0xe4), ['127.0.0.1'])
  assert.deepEqual([...textOf(sent, 0xe5), ...textOf(sent, 0xe6)], [])
})

test('an own TLV replaces the passed ones of its type, and LOCAL has it as well', async t => {
  const pass = ['authority', 'alpn', 0xe1, 0xe7] as const
  const { relay, header } = await started(t, {
    ...{ source: '127.0.0.1:0?pp=v2', trust: 'anyone', pass },
    tlvs: { ...tlvs, ...facts },
  })
  const custom = (type: number, text: string): Tlv => ({ type, value: Buffer.from(text) })
  const inbound = [tlv.authority('a.example'), tlv.alpn('h2'), custom(0xe1, 'forged'), custom(0xe7, 'passed')]
  const send = (init: HeaderInit): unknown => dial(t, relay.port).write(encodeHeader(init))
  send({ source, destination, tlvs: inbound })
  const sent = await header()
  assert.deepEqual(textOf(sent, 0xe1), ['edge'])
  assert.deepEqual(textOf(sent, 0xe7), ['passed'])
  assert.deepEqual(textOf(sent, 0xe5), ['a.example'])
  assert.deepEqual(textOf(sent, 0xe6), ['h2'])
  send({ command: 'LOCAL' })
  assert.deepEqual(textOf(await header(), 0xe1), ['edge'])
})

test('an own TLV whose fact is not known removes the passed ones of its type, so that none is forged', async t => {
  const { relay, header } = await started(t, {
    ...{ source: '127.0.0.1:0?pp=v2', trust: 'anyone', pass: [0xe5, 0xe7] },
    tlvs: facts,
  })
  const forged = [0xe5, 0xe7].map(type => ({ type, value: Buffer.from('forged') }))
  dial(t, relay.port).write(encodeHeader({ source, destination, tlvs: forged }))
  const sent = await header()
  assert.deepEqual([textOf(sent, 0xe5), textOf(sent, 0xe7)], [[], ['forged']])
})

test('server name and protocol are those of the ClientHello that passes through, a protocol if it is the only one', async t => {
  const { relay, header } = await started(t, { passthrough: {}, tlvs: facts })
  for (const [alpn, expected] of [
    [['h2'], ['h2']],
    [['h2', 'http/1.1'], []],
  ] as const) {
    dial(t, relay.port).write(await clientHello({ servername: 'a.example', ALPNProtocols: [...alpn] }))
    const sent = await header()
    assert.deepEqual(textOf(sent, 0xe5), ['a.example'])
    assert.deepEqual(textOf(sent, 0xe6), expected)
  }
})

test('they are those of the TLS that ends at the relay', async t => {
  const { source: listenAt } = certificateFiles(t)
  const { relay, header } = await started(t, { source: listenAt, tlvs: facts })
  const { secure } = dialSecure(t, relay.port, { rejectUnauthorized: false, servername: 'b.example' })
  const sent = await header()
  assert.deepEqual(textOf(sent, 0xe5), ['b.example'])
  assert.deepEqual(textOf(sent, 0xe6), [])
  secure.destroy()
})

test('a peer on a UNIX socket has no address, and so no TLV for it', async t => {
  const path = join(temporaryFolder(t), 'relay.sock')
  const { header } = await started(t, { source: `unix:${path}`, tlvs })
  const client = connect({ path })
  const sent = await header()
  assert.deepEqual(textOf(sent, 0xe1), ['edge'])
  assert.deepEqual(textOf(sent, 0xe4), [])
  client.destroy()
})
