// nginx between another sender and our servers. With realip it puts the client from the header that it took in front of its
// own address, whatever their families are.

import assert from 'node:assert/strict'
import { connect } from 'proxyprotocol/client'
import { PAYLOAD, talk } from '../../asking.ts'
import type { Case } from '../../peer.ts'
import type { Seen } from '../../seen.ts'
import { describe } from '../../sending.ts'
import { awaitedServer, serve, startServer } from '../../servers.ts'
import type { NginxServers } from './servers.ts'

const NAME = 'stream with realip, behind another header'
const [FOUR, SIX] = ['192.0.2.1', '2001:db8::1']

export async function passingOn(servers: NginxServers): Promise<readonly Case[]> {
  const { harness } = servers
  const strict = await startServer(harness, 'createServer')
  const lenient = await serve(harness, log => awaitedServer(log, { mixedFamilies: 'promote' }))
  const realip = { listen: 'proxy_protocol', lines: ['set_real_ip_from 127.0.0.0/8'] }
  const [toStrict, toLenient] = [
    await servers.forward(strict.place, realip),
    await servers.forward(lenient.place, realip),
  ]
  return [
    sends('IPv4, to createServer', async () => {
      const seen = await seenBy(toStrict, FOUR)
      assert.deepEqual([seen.version, seen.source], [1, `${FOUR} 56324`])
      return describe(seen)
    }),
    sends('IPv6 in front of IPv4, malformed, to createServer', async () => {
      await assert.rejects(seenBy(toStrict, SIX))
      assert.deepEqual(strict.refused, ['v1_family_mismatch'])
      return `refused: ${strict.refused.join()}`
    }),
    sends("IPv6 in front of IPv4, to createServer with mixedFamilies: 'promote'", async () => {
      const seen = await seenBy(toLenient, SIX)
      assert.deepEqual([seen.source, seen.destination], [`${SIX} 56324`, `::ffff:127.0.0.1 ${toLenient}`])
      return describe(seen)
    }),
  ]
}

function sends(what: string, run: () => Promise<string>): Case {
  return { direction: 'sends', name: `${NAME}, ${what}`, run }
}

async function seenBy(port: number, address: string): Promise<Seen> {
  const ends = { source: { address, port: 56_324 }, destination: { address, port: 443 } }
  const socket = await connect({ host: '127.0.0.1', port }, ends)
  return JSON.parse(await talk(socket, PAYLOAD)) as Seen // our server wrote it
}
