// Lists of networks: what a configuration may say of clients, and files with one network a line.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from 'test-support/folder'
import { ConfigError, checkNetworkFiles, parseConfig, parseService } from '../../src/config/index.ts'
import { readAccessLists } from '../../src/config/networks.ts'
import type { ServiceOptions } from '../../src/config/index.ts'

function file(t: TestContext, name: string, text: string): string {
  const path = join(temporaryFolder(t), name)
  writeFileSync(path, text)
  return path
}

function faults(act: () => unknown): readonly string[] {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.message.split('\n')
  }
  return assert.fail('it was accepted')
}

/** What is wrong with a service. */
function serviceFaults(written: object): readonly string[] {
  const services = [{ listen: ':10000', upstream: '127.0.0.1:1', ...written }]
  return faults(() => parseConfig({ services }, 'x')).map(line => line.replace('x: services[0].', ''))
}

test('a service without allow, deny and allowVpce lets all clients in', () => {
  assert.equal(parseService(':1', ':2').access, undefined)
  assert.equal(parseService(':1', ':2', { deny: [] }).access, undefined)
})

test('allow, deny, aclFrom and allowVpce are settled together', () => {
  const options: ServiceOptions = {
    trust: 'anyone',
    allow: ['10.0.0.0/8', 'unix', 'file:/etc/allowed.txt'],
    deny: ['10.0.0.1'],
    aclFrom: 'peer',
    allowVpce: ['vpce-08d2bf15fac5001c9'],
  }
  assert.deepEqual(parseService(':1?pp=v2', ':2', options).access, {
    allow: options.allow,
    deny: options.deny,
    from: 'peer',
    vpce: options.allowVpce,
  })
  assert.deepEqual(parseService(':1', ':2', { deny: ['::1'] }).access, {
    allow: undefined,
    deny: ['::1'],
    from: 'client',
    vpce: undefined,
  })
})

test('an empty allow, a wrong network and rules without a use are refused by their keys', () => {
  assert.match(serviceFaults({ allow: [] })[0] ?? '', /^allow must have at least one entry, got none$/)
  const [allow, deny, nameless] = serviceFaults({ allow: ['10.0.0.1/8'], deny: ['a.example', 'file:'] })
  assert.match(allow ?? '', /^allow\[0\] must hold networks without bits .*, got "10\.0\.0\.1\/8"/)
  assert.match(deny ?? '', /^deny\[0\] must hold addresses, .*, got "a\.example"$/)
  assert.equal(nameless, 'deny[1] must name a file behind "file:"')
  assert.deepEqual(serviceFaults({ aclFrom: 'peer' }), [
    'aclFrom must stand beside `allow` or `deny`, got neither',
  ])
  assert.deepEqual(serviceFaults({ allow: ['::1'], aclFrom: 'pear' }), [
    'aclFrom must be one of "client", "peer", got "pear"; did you mean "peer"?',
  ])
  for (const listen of [':10000', ':10000?pp=v1']) {
    const trust = listen.includes('pp') ? 'anyone' : undefined
    assert.deepEqual(serviceFaults({ listen, trust, allowVpce: ['vpce-1'] }), [
      'allowVpce must stand where version 2 headers are accepted; did you mean "?pp=v2" behind `listen`?',
    ])
  }
  assert.deepEqual(serviceFaults({ listen: ':1?pp=v2', trust: 'anyone', allowVpce: ['10.0.0.1'] }), [
    'allowVpce[0] must be the id of a VPC endpoint such as "vpce-08d2bf15fac5001c9", got "10.0.0.1"',
  ])
})

test('a file has one network a line, with comments, empty lines and any line end', t => {
  const path = file(t, 'a.txt', '\uFEFF# ours\r\n10.0.0.0/8 # office\r\n\r\n  2001:db8::/32\n')
  const { allow, deny } = readAccessLists({ allow: [`file:${path}`, '192.0.2.1'], deny: [] })
  assert.deepEqual(allow?.entries, ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'])
  assert.equal(allow.holds({ address: '10.1.2.3', transport: 'tcp' }), true)
  assert.equal(allow.holds({ address: '11.1.2.3', transport: 'tcp' }), false)
  assert.deepEqual(deny.entries, [])
})

test('what is wrong in files is reported all at once, with file, line and column, once for each file', t => {
  const bad = file(t, 'bad.txt', '10.0.0.0/8\n  10.0.0.0/33\nlocalhost\nfile:/etc/other\n')
  const gone = join(temporaryFolder(t), 'gone.txt')
  const services = [':1', ':2'].map(listen =>
    parseService(listen, ':3', { deny: [`file:${bad}`], allow: [`file:${gone}`] }),
  )
  const lines = faults(() => {
    checkNetworkFiles(services)
  })
  assert.match(lines[0] ?? '', /^file:.*gone\.txt: ENOENT/)
  assert.match(lines[1] ?? '', /bad\.txt:2:3: .*10\.0\.0\.0\/33/)
  assert.match(lines[2] ?? '', /bad\.txt:3:1: .*localhost/)
  assert.match(lines[3] ?? '', /bad\.txt:4:1: a file must not name another one$/)
  assert.equal(lines.length, 4)
})

test('a file of another format is not reported line by line without end', t => {
  const bad = file(t, 'bad.csv', 'a;b\n'.repeat(100))
  const lines = faults(() => readAccessLists({ allow: undefined, deny: [`file:${bad}`] }))
  assert.equal(lines.length, 21)
  assert.equal(lines.at(-1), 'and 80 more')
})

test('an allow whose files have no network is refused, and a deny is not', t => {
  const empty = file(t, 'empty.txt', '# none yet\n')
  assert.deepEqual(
    faults(() => readAccessLists({ allow: [`file:${empty}`], deny: [] })),
    [`allow must have at least one network, got none in file:${empty}`],
  )
  assert.deepEqual(readAccessLists({ allow: undefined, deny: [`file:${empty}`] }).deny.entries, [])
  checkNetworkFiles([parseService(':1', ':2'), parseService(':1', ':2', { deny: [`file:${empty}`] })])
})

test('rate allows as many connections at once as in its time, and exempts networks', () => {
  assert.deepEqual(parseService(':1', ':2', { rate: { connections: 20, per: '10s' } }).rate, {
    connections: 20,
    per: 10_000,
    burst: 20,
    exempt: [],
  })
  const exempt = serviceFaults({
    rate: { connections: 1, per: 1, exempt: ['file:x', '10.0.0.1/8', 'anyone'] },
  })
  assert.match(exempt[0] ?? '', /^rate\.exempt\[0\] must hold addresses, .*, got "file:x"$/)
  assert.match(exempt[2] ?? '', /^rate\.exempt\[2\] must hold addresses, .*, got "anyone"$/)
  assert.match(exempt[1] ?? '', /^rate\.exempt\[1\] must hold networks without bits .*, got "10\.0\.0\.1\/8"/)
})

test('lists of the same text are compiled once while one is in use, and a file that changes makes another', t => {
  const path = file(t, 'deny.txt', '10.0.0.0/8\n')
  const read = (): unknown => readAccessLists({ allow: undefined, deny: [`file:${path}`] }).deny
  const first = read()
  assert.equal(read(), first)
  writeFileSync(path, '11.0.0.0/8\n')
  const second = read()
  assert.notEqual(second, first)
  t.mock.method(WeakRef.prototype, 'deref', () => undefined) // as if no service held it any more
  assert.notEqual(read(), second)
})

test('the services of a range share one object of rules', () => {
  const [one, two] = parseConfig({
    services: [{ listen: ':30000-30001', upstream: '127.0.0.1:1', deny: ['::1'] }],
  }).services
  assert.equal(one?.access, two?.access)
})
