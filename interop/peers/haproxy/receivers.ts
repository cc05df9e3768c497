// HAProxy behind our software, answering HTTP requests with what it knows of the client.

import assert from 'node:assert/strict'
import { tlv } from 'proxyprotocol'
import { connect } from 'proxyprotocol/client'
import { httpGet, type Ends } from '../../asking.ts'
import { certificateFiles } from '../../certificates.ts'
import type { Case } from '../../peer.ts'
import { receiving, type Target } from '../../receiving.ts'
import type { Sections } from './sections.ts'

const host = '127.0.0.1'
const source = { address: '192.0.2.1', port: 56_324 }
const destination = { address: '198.51.100.7', port: 443 }

export async function receivers(sections: Sections): Promise<readonly Case[]> {
  const { both } = certificateFiles(sections.harness)
  const http: Target = {
    name: 'accept-proxy, http',
    port: await sections.answer(),
    speak: 'http',
    check: (answer: string, { source: client, destination: server }: Ends) => {
      assert.equal(answer, `${String(client)} ${String(server)}`)
    },
  }
  const https = {
    ...http,
    name: 'accept-proxy, https',
    port: await sections.answer(`ssl crt ${both}`),
    tls: true,
  }
  return [
    ...[http, https].flatMap(target => receiving(target, sections.harness)),
    withTlvs(await sections.answer('', '%[src] %[fc_pp_authority] %[fc_pp_unique_id]')),
    local(http.port),
  ]
}

function withTlvs(port: number): Case {
  return {
    direction: 'receives',
    name: 'accept-proxy, v2 with authority, unique id, padding and CRC-32C by connect',
    run: async () => {
      const tlvs = [tlv.authority('front.example'), tlv.uniqueId('request-7')]
      const socket = await connect({ host, port, checksum: true, padTo: 128 }, { source, destination, tlvs })
      assert.equal(await httpGet(socket), '192.0.2.1 front.example request-7')
      return 'the client announced, its authority and unique id'
    },
  }
}

function local(port: number): Case {
  return {
    direction: 'receives',
    name: 'accept-proxy, LOCAL by connect',
    run: async () => {
      const socket = await connect({ host, port }, { command: 'LOCAL' })
      const own = `127.0.0.1 ${String(socket.localPort)} 127.0.0.1 ${port}`
      assert.equal(await httpGet(socket), own)
      return "the connection's own ends"
    },
  }
}
