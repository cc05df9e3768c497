// Checks that connect and close, as load balancers make them: counted, and silent, on every kind of port.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { runServer } from '../../src/cli/index.ts'
import { certificateFiles } from '../support/certificate-files.ts'
import { portIn } from '../support/child.ts'
import { configFile } from '../support/config-file.ts'
import { start } from '../support/program.ts'
import { dial, listen, outcome } from '../support/connections.ts'
import { metric } from '../support/workers.ts'

test('a connection that ends or resets without a byte is a probe and no line, and reaches the upstream only where nothing is due first', async t => {
  const [upstream, plain] = [await listen(t), await listen(t)]
  const to = { upstream: `127.0.0.1:${upstream.port}` }
  const services = [
    { name: 'header', listen: '127.0.0.1:0?pp=detect', trust: ['127.0.0.1'], ...to },
    { name: 'tls', listen: certificateFiles(t).source, ...to },
    { name: 'passthrough', listen: '127.0.0.1:0', passthrough: {}, ...to },
    { name: 'plain', listen: '127.0.0.1:0', upstream: `127.0.0.1:${plain.port}` },
  ]
  const args = ['--config', configFile(t, { services }), '--admin', '127.0.0.1:0']
  const program = await start(t, runServer, args, { listeners: services.length })
  const { io } = program
  const adminPort = portIn(await io.line(/ admin /))
  for (const { name } of services) {
    const port = portIn(await io.line(new RegExp(` listening .* service=${name} `)))
    for (const end of [(client: Socket) => client.end(), (client: Socket) => client.resetAndDestroy()]) {
      const client = dial(t, port)
      const ended = outcome(client)
      await once(client, 'connect')
      const far = name === 'plain' ? await plain.accept() : undefined
      end(client)
      if (far) await outcome(far)
      await ended
    }
    const probes = async (): Promise<unknown> =>
      (await metric(adminPort, 'proxyprotocol_connections_closed_total'))[`service="${name}",reason="probe"`]
    while ((await probes()) !== 2);
  }
  assert.equal(await program.stop(), 0)
  assert.deepEqual(
    io.written.map(line => line.split(' ')[1]),
    ['admin', ...services.map(() => 'listening'), 'draining', 'stopped'],
  )
  assert.equal(upstream.accepted, 0)
})
