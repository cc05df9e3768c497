// proxyprotocol-server import of nginx' UDP servers.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { parse } from 'yaml'
import { parseConfig } from '../../../src/config/index.ts'
import { runServer } from '../../../src/cli/index.ts'
import { configFile } from '../../support/config-file.ts'
import { fakeIo } from '../../support/program.ts'

async function imported(t: TestContext, text: string): Promise<readonly [services: unknown, notes: string]> {
  const io = fakeIo()
  const file = configFile(t, text, 'nginx.conf')
  await runServer(['import', file], io)
  const written = parse(io.written.join('')) as { readonly services: object[] } // the translation's own text
  assert.ok(parseConfig(written))
  return [written.services, io.errors.join('').replaceAll(file, 'FILE')]
}

test('import translates a UDP server of nginx, beside TCP at the same port', async t => {
  const [services, notes] = await imported(
    t,
    'stream {\n upstream dns { server 192.0.2.1:53 weight=2; server 192.0.2.2:53; }\n' +
      ' server { listen 53 udp reuseport; listen 53 proxy_protocol; set_real_ip_from 10.0.0.0/8; proxy_responses 1; proxy_timeout 20s; proxy_pass dns; }\n}\n',
  )
  assert.equal(notes, '')
  const health = { fails: 1, window: '10s', cooldown: '10s' }
  assert.deepEqual(services, [
    {
      listen: '0.0.0.0:53?pp=detect',
      upstreams: [{ weight: 2, address: '192.0.2.1:53?pp=noop' }, '192.0.2.2:53?pp=noop'],
      ...{ health, trust: ['10.0.0.0/8'], timeouts: { idle: '20s' } },
    },
    {
      health,
      listen: ['udp://0.0.0.0:53'],
      upstreams: [{ weight: 2, address: 'udp://192.0.2.1:53?pp=noop' }, 'udp://192.0.2.2:53?pp=noop'],
      ...{ timeouts: { flow: '20s', confirmed: '20s' }, replies: 1 },
    },
  ])
})

test('import says that nginx sends another header to UDP upstreams, and what it leaves out', async t => {
  const [services, notes] = await imported(
    t,
    'stream {\n server { listen 53 udp;\n proxy_protocol on;\n proxy_responses 0;\n proxy_pass 192.0.2.1:53; }\n' +
      ' server { listen 54 udp; proxy_pass $to; }\n server { listen 55 udp; }\n}\n',
  )
  assert.deepEqual(services, [{ listen: ['udp://0.0.0.0:53'], upstreams: ['udp://192.0.2.1:53?pp=v2'] }])
  assert.match(notes, /FILE:4: proxy_responses: flows without replies end by their timeout/)
  assert.match(notes, /FILE:2: server: each datagram gets a version 2 header/)
  assert.match(notes, /FILE:6: server: its proxy_pass is not translated, so its UDP address is left out/)
  assert.match(notes, /FILE:7: server: its proxy_pass is not translated/)
})
