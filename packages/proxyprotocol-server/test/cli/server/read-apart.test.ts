// The configuration of a reload, read in a thread.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { serverRequest } from '../../../src/cli/server/arguments.ts'
import { partsOf, readApart, readHere } from '../../../src/cli/server/read-apart.ts'
import { configFile } from '../../support/config-file.ts'
import { fakeIo } from '../../support/program.ts'

const services = [
  {
    name: 'web',
    listen: ':1?pp=detect',
    upstreams: ['192.0.2.1:1', { address: 'a.example:2', maxConnections: 3 }],
    trust: ['10.0.0.0/8'],
    allow: ['192.0.2.0/24'],
    tlvs: { '0xE1': 'text:a' },
    timeouts: { idle: 'never' },
    dnsbl: { zones: ['zen.spamhaus.org'] },
  },
]

test('a thread reads the same configuration, with arguments and variables', async t => {
  const args = ['--config', configFile(t, { services }), '--drain', '7']
  const io = fakeIo({ PROXYPROTOCOL_IDLE_TIMEOUT: '8s' })
  const { configuration, sources } = serverRequest(args, io)
  const expected = { configuration, sources }
  assert.deepEqual(await readApart(args, io), expected)
  assert.deepEqual(readHere({ args, env: io.env }), expected)
})

test('a thread reads sources that were read before, and the lists that they name', async t => {
  const list = configFile(t, ['192.0.2.1:80'], 'list.json')
  const file = configFile(t, { services: [{ listen: ':1', upstreamsFrom: list }] })
  const { sources } = await readApart(['--config', file], fakeIo())
  writeFileSync(file, '{')
  writeFileSync(list, '- 192.0.2.2:80')
  const { configuration } = await readApart(['--config', file], fakeIo(), sources)
  assert.deepEqual(
    configuration.services.flatMap(({ pool }) => pool.upstreams.map(({ name }) => name)),
    ['192.0.2.2:80'],
  )
})

test('many routes come out of the thread in parts, so that none takes long to copy', async t => {
  const routes = Array.from({ length: 600 }, (_, at) => ({
    names: [`t${at}.example`],
    upstreams: [`192.0.2.1:${at + 2}`],
  }))
  const many = Array.from({ length: 5 }, (_, at) => ({
    listen: `:${at + 1}`,
    upstream: '192.0.2.1:1',
    passthrough: { routes },
  }))
  const args = ['--config', configFile(t, { services: many })]
  const reading = readHere({ args, env: {} })
  assert.deepEqual(
    [...partsOf(reading)].map(({ services }) => services.length),
    [2, 2, 1],
  )
  assert.deepEqual(await readApart(args, fakeIo()), reading)
})

test('so many routes of one service come in parts, too', async t => {
  const routes = Array.from({ length: 2_500 }, (_, at) => ({
    names: [`t${at}.example`],
    upstreams: [`192.0.2.1:${at + 2}`],
  }))
  const service = { upstream: '192.0.2.1:1', passthrough: { routes } }
  const services = [
    { listen: ':1', upstream: '192.0.2.1:1' },
    { listen: ':2', ...service },
    { listen: ':3', upstream: '192.0.2.1:1' },
  ]
  const args = ['--config', configFile(t, { services })]
  const reading = readHere({ args, env: {} })
  assert.deepEqual(
    [...partsOf(reading)].map(each => [each.services.length, each.routes.passthrough?.length]),
    [
      [2, undefined],
      [0, 1_000],
      [0, 1_000],
      [0, 500],
      [1, undefined],
    ],
  )
  assert.deepEqual(await readApart(args, fakeIo()), reading)
})

test('a fault of the configuration comes out of the thread as it is', async t => {
  const file = configFile(t, { services: [] })
  const message = `${file}:1:2: services must have at least one entry, got none`
  await assert.rejects(readApart(['--config', file], fakeIo()), { name: 'ConfigError', message })
  const outcome = readHere({ args: ['--config', file], env: {} })
  assert.deepEqual(outcome, { fault: message })
  assert.deepEqual([...partsOf(outcome)], [{ services: [], routes: {}, outcome }])
  writeFileSync(file, '{')
  await assert.rejects(readApart(['--config', file], fakeIo()), /this is not YAML/)
})

test('another error of the thread rejects as well', async () => {
  const args = ['--no-such-option']
  await assert.rejects(readApart(args, fakeIo()), /unknown option/)
  assert.throws(() => readHere({ args, env: {} }), /unknown option/)
})
