// dnsdist: it takes version 2 over TCP and UDP, and sends it to its own backends, also for clients that came by UDP.

import assert from 'node:assert/strict'
import { createServer } from 'proxyprotocol/server'
import { open } from '../asking.ts'
import { datagramCase, startDatagramServer } from '../datagrams.ts'
import { provide, type Debian } from '../debian.ts'
import { ADDRESS, answerTcp, askTcp, askUdp } from '../dns.ts'
import type { Case, Peer } from '../peer.ts'
import { receiving, type Target } from '../receiving.ts'
import { checkSeen, describe } from '../sending.ts'
import { accept, serve, type Served } from '../servers.ts'
import type { Running, Harness } from '../harness.ts'

const program: Debian = { program: 'dnsdist', packages: ['dnsdist'], version: ['--version'] }

const told = { version: 2, family: 'INET', authority: 'front.example' }
/** What datagramCase() announces as destinations. */
const [V4_FRONT, V6_FRONT] = ['198.51.100.7 53', '2001:db8:ffff::7 53']
const OPEN = ['setACL({"0.0.0.0/0", "::/0"})', 'setSecurityPollSuffix("")']

export const dnsdist: Peer = {
  name: 'dnsdist',
  programs: [program],
  async cases(harness) {
    const ours = await dnsServer(harness)
    const sends = await startSender(harness, ours)
    const target = await startReceiver(harness)
    const answersUdp = datagramCase('setProxyProtocolACL, DNS over UDP', target.port, source =>
      target.check(ADDRESS, {
        source: `${source} 5353`,
        destination: source.includes(':') ? V6_FRONT : V4_FRONT,
      }),
    )
    return [
      fromTcp(sends, ours),
      fromUdp(sends, ours),
      await betweenDatagrams(harness),
      ...receiving(target, harness),
      answersUdp,
    ]
  },
}

/** In front of our server, with TLVs of its administrator's choice. */
async function startSender(harness: Harness, ours: Served): Promise<number> {
  const port = await harness.port()
  const backend = `address="127.0.0.1:${(ours.place as { port: number }).port}"` // it listens at one
  const lines = [
    ...OPEN,
    `addLocal("127.0.0.1:${port}")`,
    `newServer({${backend}, useProxyProtocol=true, tcpOnly=true, healthCheckMode="up"})`,
    'addAction(AllRule(), SetProxyProtocolValuesAction({["2"]="front.example", ["224"]="own"}))',
  ]
  await start(harness, harness.file('sends.conf', lines.join('\n')), port)
  return port
}

/** UDP on both sides: each datagram has its header. */
async function betweenDatagrams(harness: Harness): Promise<Case> {
  const ours = await startDatagramServer(harness)
  const port = await harness.port()
  const lines = [
    ...OPEN,
    `addLocal("127.0.0.1:${port}")`,
    `newServer({address="127.0.0.1:${ours.port}", useProxyProtocol=true, healthCheckMode="up"})`,
    'addAction(AllRule(), SetProxyProtocolValuesAction({["2"]="front.example"}))',
  ]
  await start(harness, harness.file('datagrams.conf', lines.join('\n')), port)
  return {
    direction: 'sends',
    name: 'useProxyProtocol for a UDP client, with a TLV, to attachDatagrams',
    run: async () => {
      const { answer, source } = await askUdp(port)
      assert.equal(answer, ADDRESS)
      const expected = { source, destination: `127.0.0.1 ${port}`, version: 2, transport: 'DGRAM' }
      assert.deepEqual(ours.seen.at(-1), { ...expected, authority: 'front.example' })
      return 'the client, v2 DGRAM, authority'
    },
  }
}

/** Says in its log who has asked. */
async function startReceiver(harness: Harness): Promise<Target> {
  const port = await harness.port()
  const lines = [
    ...OPEN,
    `addLocal("127.0.0.1:${port}")`,
    'setProxyProtocolACL({"127.0.0.0/8"})',
    'addAction(AllRule(), LuaAction(function(dq)',
    '  infolog("client " .. dq.remoteaddr:toStringWithPort() .. " of " .. dq.localaddr:toStringWithPort())',
    `  return DNSAction.Spoof, "${ADDRESS}"`,
    'end))',
  ]
  const { said } = await start(harness, harness.file('receives.conf', lines.join('\n')), port)
  return {
    name: 'setProxyProtocolACL, DNS over TCP',
    port,
    speak: askTcp,
    versions: [2],
    check: async (answer, { source = '', destination = '' }) => {
      assert.equal(answer, ADDRESS)
      await said(new RegExp(`client ${shown(source)} of ${shown(destination)}`))
    },
  }
}

function start(harness: Harness, file: string, port: number): Promise<Running> {
  return harness.start(provide(program), ['--supervised', '--disable-syslog', '-C', file], [port])
}

/** `ADDRESS PORT` as dnsdist writes it, for a regular expression. */
function shown(end: string): string {
  const [address = '', port] = end.split(' ')
  return address.includes(':') ? `\\[${address}\\]:${String(port)}` : `${address}:${String(port)}`
}

function dnsServer(harness: Harness): Promise<Served> {
  return serve(harness, log =>
    createServer(accept, ({ socket, info }) =>
      answerTcp(socket, () => void log.record(info.header, { socket })),
    ),
  )
}

function fromTcp(port: number, ours: Served): Case {
  return {
    direction: 'sends',
    name: 'useProxyProtocol for a TCP client, with TLVs, to createServer',
    run: async () => {
      const socket = await open({ port, localAddress: '127.0.0.9' })
      const [source, destination] = [`127.0.0.9 ${String(socket.localPort)}`, `127.0.0.1 ${port}`]
      assert.equal(await askTcp(socket), ADDRESS)
      socket.destroy()
      const seen = await ours.find(each => each.source === source, source)
      checkSeen({ seen, client: { source, destination } }, { ...told, transport: 'STREAM' })
      return describe(seen)
    },
  }
}

function fromUdp(port: number, ours: Served): Case {
  return {
    direction: 'sends',
    name: 'useProxyProtocol and tcpOnly for a UDP client, with TLVs, to createServer',
    run: async () => {
      const { answer, source } = await askUdp(port)
      assert.equal(answer, ADDRESS)
      const seen = await ours.find(each => each.source === source, source)
      const client = { source, destination: `127.0.0.1 ${port}` }
      checkSeen({ seen, client }, { ...told, transport: 'DGRAM' })
      return describe(seen)
    },
  }
}
