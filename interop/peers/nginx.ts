// nginx: its stream module sends version 1, from TCP, TLS, UNIX and UDP listeners and on from another header; http and stream take
// both versions.

import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import type { Ends } from '../asking.ts'
import { ca, certificateFiles } from '../certificates.ts'
import { checking } from '../checking.ts'
import type { Harness } from '../harness.ts'
import type { Case, Peer } from '../peer.ts'
import { receiving, type Target } from '../receiving.ts'
import { sending } from '../sending.ts'
import { serverKinds, startServer } from '../servers.ts'
import { datagrams } from './nginx/datagrams.ts'
import { passingOn } from './nginx/passing-on.ts'
import { nginxProgram, NginxServers } from './nginx/servers.ts'

export const nginx: Peer = {
  name: 'nginx',
  always: true,
  programs: [nginxProgram],
  async cases(harness) {
    const servers = new NginxServers(harness)
    const cases = [
      ...(await senders(servers)),
      await datagrams(servers),
      ...(await passingOn(servers)),
      ...(await receivers(servers)),
    ]
    await servers.start()
    return cases
  },
}

async function senders(servers: NginxServers): Promise<readonly Case[]> {
  const { harness } = servers
  const { cert, key } = certificateFiles(harness)
  const cases: Case[] = []
  for (const kind of serverKinds) {
    const { place } = await startServer(harness, kind)
    const way = { port: await servers.forward(place), localAddress: '127.0.0.9' }
    cases.push(sending({ name: 'stream', kind, way, expected: { version: 1, family: 'INET' } }))
  }
  const kind = 'createServer'
  const four = await startServer(harness, kind)
  const six = await startServer(harness, kind, { host: '::1' })
  const host = '::1'
  const way6 = { host, port: await servers.forward(six.place, { host }) }
  const secure = ['ssl_certificate ' + cert, 'ssl_certificate_key ' + key]
  const tls = { ca, servername: 'localhost' }
  const wayTls = { port: await servers.forward(four.place, { listen: 'ssl', lines: secure }), tls }
  const wayUnix = { path: servers.forwardUnix('front.sock', four.place) }
  const nobody = { family: 'UNSPEC', transport: 'UNSPEC', source: undefined, destination: undefined }
  return [
    ...cases,
    sending({ name: 'stream, IPv6', kind, way: way6, expected: { version: 1, family: 'INET6' } }),
    sending({ name: 'stream, from TLS', kind, way: wayTls, expected: { version: 1, family: 'INET' } }),
    sending({
      name: 'stream for a UNIX client',
      kind,
      way: wayUnix,
      expected: ({ seen: { remote } }) => ({ version: 1, ...nobody, remote }),
    }),
  ]
}

async function receivers(servers: NginxServers): Promise<readonly Case[]> {
  const { cert, key } = certificateFiles(servers.harness)
  const secure = ['ssl_certificate ' + cert, 'ssl_certificate_key ' + key]
  const check = (answer: string, { source, destination }: Ends): void => {
    assert.equal(answer, `${String(source)} ${String(destination)}`)
  }
  const targets: readonly Target[] = [
    { name: 'http', port: await servers.answer('http'), speak: 'http', check },
    { name: 'https', port: await servers.answer('http', 'ssl', secure), tls: true, speak: 'http', check },
    { name: 'stream', port: await servers.answer('stream'), speak: text, check },
    {
      name: 'stream with TLS',
      port: await servers.answer('stream', 'ssl', secure),
      tls: true,
      speak: text,
      check,
    },
  ]
  return [
    ...targets.flatMap(target => receiving(target, servers.harness)),
    ...checks(servers.harness, targets),
  ]
}

function checks(harness: Harness, [http, https]: readonly Target[]): readonly Case[] {
  const check = { type: 'http', status: 200 } as const
  const authorities = `cafile=${harness.file('ca.pem', ca)}`
  return [
    checking(harness, {
      name: 'http, check by HTTP behind v2 LOCAL',
      upstream: `127.0.0.1:${String(http?.port)}?pp=v2`,
      check,
    }),
    checking(harness, {
      name: 'http, check by HTTP behind v1 UNKNOWN',
      upstream: `127.0.0.1:${String(http?.port)}?pp=v1`,
      check,
    }),
    checking(harness, {
      name: 'https, check by HTTP inside TLS',
      upstream: `ssl://127.0.0.1:${String(https?.port)}?pp=v2&${authorities}`,
      check,
    }),
    checking(harness, {
      name: 'http, check by HTTP of a path that is missing',
      upstream: `127.0.0.1:${String(http?.port)}?pp=v2`,
      check: { type: 'http', path: '/missing' },
      fault: /expected a status from 200 to 399, got 404/,
    }),
  ]
}
