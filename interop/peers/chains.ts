// Several in a row, our relay in the midst of them: the last one must know the first one's client.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import http from 'node:http'
import { attach } from 'proxyprotocol/server'
import { httpGet, open } from '../asking.ts'
import { ca, certificateFiles } from '../certificates.ts'
import { provide } from '../debian.ts'
import type { Case, Peer } from '../peer.ts'
import { startRelay } from '../relaying.ts'
import type { Harness } from '../harness.ts'
import { curlProgram, run, type Curl } from './curl.ts'
import { haproxyProgram, Sections } from './haproxy/sections.ts'
import { nginxProgram, NginxServers } from './nginx/servers.ts'

const host = '127.0.0.1'

export const chains: Peer = {
  name: 'chains',
  always: true,
  programs: [haproxyProgram, nginxProgram, curlProgram],
  async cases(harness) {
    const sections = new Sections(harness)
    const servers = new NginxServers(harness)
    const cases = [
      ...(await betweenTwoHaproxies(sections)),
      ...(await fromCurl({ program: provide(curlProgram), harness }, servers)),
      ...(await toFastify(servers)),
    ]
    await sections.start()
    await servers.start()
    return cases
  },
}

/** TLS ends at the first one, whose facts must come through the relay to the last. */
async function betweenTwoHaproxies(sections: Sections): Promise<readonly Case[]> {
  const { both } = certificateFiles(sections.harness)
  const last = { port: await sections.answer('', '%[src] %[src_port] %[fc_pp_authority] %[fc_pp_unique_id]') }
  const relay = await startRelay(sections.harness, { to: last, sends: 2 })
  const options = 'send-proxy-v2 proxy-v2-options ssl,authority,unique-id,crc32c'
  const port = await sections.forward({ host, port: relay }, options, { bind: `ssl crt ${both}` })
  return [
    {
      direction: 'chain',
      name: 'client, TLS to haproxy, relay, haproxy',
      run: async () => {
        const socket = await open({ port, localAddress: '127.0.0.9', tls: { ca, servername: 'localhost' } })
        const id = `id-${String(socket.localPort)}`
        const client = `127.0.0.9 ${String(socket.localPort)}`
        assert.equal(await httpGet(socket), `${client} localhost ${id}`)
        return 'the client, its authority and unique id'
      },
    },
  ]
}

async function fromCurl(curl: Curl, servers: NginxServers): Promise<readonly Case[]> {
  const last = { port: await servers.answer('http') }
  const cases: Case[] = []
  for (const sends of [1, 2] as const) {
    const port = await startRelay(servers.harness, { to: last, sends, tls: true })
    const ends = ['--write-out', '\n%{local_ip} %{local_port} %{remote_ip} %{remote_port}']
    cases.push({
      direction: 'chain',
      name: `curl, https to the relay, v${sends} to nginx`,
      run: async () => {
        const url = `https://localhost:${port}/`
        const [seen, own] = (await run(curl, ['--ipv4', '--interface', '127.0.0.9', ...ends, url])).split(
          '\n',
        )
        assert.equal(seen, own)
        return "curl's own ends"
      },
    })
  }
  return cases
}

async function toFastify(servers: NginxServers): Promise<readonly Case[]> {
  const last = { port: await startFastify(servers.harness) }
  const relay = await startRelay(servers.harness, { to: last, sends: 2 })
  const port = await servers.forward({ host, port: relay })
  return [
    {
      direction: 'chain',
      name: 'client, nginx stream, relay, fastify',
      run: async () => {
        const socket = await open({ port, localAddress: '127.0.0.9' })
        const client = `127.0.0.9 ${String(socket.localPort)}`
        assert.equal(await httpGet(socket), client)
        return "the client, in fastify's request.ip"
      },
    },
  ]
}

async function startFastify(harness: Harness): Promise<number> {
  const app = fastify({ serverFactory: handler => attach(http.createServer(handler), { trust: [host] }) })
  app.get('/', ({ ip, socket }) => `${ip} ${String(socket.remotePort)}`)
  await app.listen({ host, port: 0 })
  harness.atEnd(() => app.close())
  return (app.server.address() as AddressInfo).port // it listens at a port
}
