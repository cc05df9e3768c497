// Where the configuration of proxyprotocol-server comes from: arguments over environment over file over defaults.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runServer } from '../../../src/cli/index.ts'
import { serverRequest } from '../../../src/cli/server/arguments.ts'
import { settings, type Configuration, type Setting } from '../../../src/config/index.ts'
import { configFile } from '../../support/config-file.ts'
import { fakeIo } from '../../support/program.ts'

const service = { listen: ':10000', upstream: '127.0.0.1:10007' }
const arg = ['--service', ':10000', '127.0.0.1:10007']

function configured(args: readonly string[], env: Record<string, string> = {}): Configuration {
  return serverRequest(args, fakeIo(env)).configuration
}

/** Ends with 2, and gives what was written to standard error. */
async function refused(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const io = fakeIo(env)
  assert.equal(await runServer(args, io), 2)
  assert.deepEqual(io.written, [])
  return io.errors.join('')
}

/** Right values; `text` and `value` are not the default. */
interface Values {
  readonly text: string
  readonly value: unknown
  readonly inFile: unknown
  readonly inVariable: string
}

function valuesFor(flag: string): Values {
  if (flag === 'over-limit') return { text: 'reset', value: 'reset', inFile: 'pause', inVariable: 'close' }
  if (flag === 'data-plane') return { text: 'auto', value: 'auto', inFile: 'sockets', inVariable: 'sockets' }
  return { text: '1234', value: 1_234, inFile: 2_345, inVariable: '3456' }
}

/** What stands at a setting's path, in all services. */
function settled(configuration: Configuration, { ofService, path }: Setting): unknown[] {
  const roots: unknown[] = ofService ? [...configuration.services] : [configuration]
  return roots.map(root =>
    path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], root),
  )
}

test('--buf-len of the Python programs is refused with what to do instead', async () => {
  const message = await refused([...arg, '--buf-len', '65536'])
  assert.match(message, /--buf-len.*Leave it out: buffers grow and shrink with each connection/)
})

test('each setting has a flag and a variable, and flag wins over variable over file over default', t => {
  const others = [
    'log-format',
    'admin',
    'admin-hosts',
    'ready-needs',
    'control',
    'workers',
    'allow',
    'deny',
    'acl-from',
  ]
  const sections = ['dnsbl', 'rate']
  const known = settings().filter(
    ({ flag, node, path }) =>
      node.type !== 'boolean' && !sections.includes(path[0] ?? '') && !others.includes(flag),
  )
  assert.equal(known.length, 15)
  for (const setting of known) {
    const { flag, variable, path, ofService } = setting
    const { text, value, inFile, inVariable } = valuesFor(flag)
    assert.deepEqual(settled(configured([...arg, `--${flag}`, text]), setting), [value])
    assert.deepEqual(settled(configured(arg, { [variable]: text }), setting), [value])
    const [outer = '', inner] = path
    const section = { [outer]: inner === undefined ? inFile : { [inner]: inFile } }
    const file = configFile(
      t,
      ofService ? { services: [{ ...service, ...section }] } : { services: [service], ...section },
    )
    const more = ['--config', file, '--service', ':1', ':2']
    const defaults = settled(configured(['--service', ':1', ':2']), setting)
    assert.deepEqual(settled(configured(more), setting), ofService ? [inFile, ...defaults] : [inFile])
    const all = ofService ? [value, value] : [value]
    assert.deepEqual(settled(configured(more, { [variable]: text }), setting), all)
    const env = { [variable]: inVariable }
    assert.deepEqual(settled(configured([...more, `--${flag}`, text], env), setting), all)
  }
})

test('lists of clients and their rate are flags as well', () => {
  const flags = [
    ...['--allow', '192.0.2.0/24, ::1', '--deny', '192.0.2.1', '--acl-from', 'peer'],
    ...['--rate', '20', '--rate-per', '10s', '--rate-burst', '40', '--rate-exempt', '10.0.0.0/8'],
  ]
  const [service] = configured([...arg, ...flags]).services
  assert.deepEqual(service?.access, {
    allow: ['192.0.2.0/24', '::1'],
    deny: ['192.0.2.1'],
    from: 'peer',
    vpce: undefined,
  })
  assert.deepEqual(service.rate, { connections: 20, per: 10_000, burst: 40, exempt: ['10.0.0.0/8'] })
  assert.equal(configured([...arg, '--rate', '20']).services[0]?.rate?.per, 1_000)
})

test('--quiet is -q, PROXYPROTOCOL_QUIET and log.quiet', t => {
  const file = configFile(t, { services: [service], log: { quiet: true } })
  assert.equal(configured(arg).log.quiet, false)
  assert.equal(configured([...arg, '--quiet']).log.quiet, true)
  assert.equal(configured([...arg, '-q']).log.quiet, true)
  assert.equal(configured(arg, { PROXYPROTOCOL_QUIET: 'true' }).log.quiet, true)
  assert.equal(configured(['--config', file]).log.quiet, true)
  assert.equal(configured(['--config', file], { PROXYPROTOCOL_QUIET: 'false' }).log.quiet, false)
})

test('--workers, PROXYPROTOCOL_WORKERS and workers are one to 512 processes, and one unless told otherwise', async t => {
  const file = configFile(t, { services: [service], workers: 2 })
  assert.equal(configured(arg).workers, 1)
  assert.equal(configured([...arg, '--workers', '3']).workers, 3)
  assert.equal(configured(['--config', file]).workers, 2)
  assert.equal(configured(['--config', file], { PROXYPROTOCOL_WORKERS: '512' }).workers, 512)
  assert.match(await refused([...arg, '--workers', '0']), /--workers must be an integer from 1 to 512, got 0/)
  assert.match(await refused([...arg, '--workers', '513']), /--workers must be .*, got 513/)
})

test('--log-format, --admin and --admin-hosts have a variable and a key as well', t => {
  const shown = ({ log, admin }: Configuration): unknown => [log.format, admin?.listen.port, admin?.hosts]
  const file = configFile(t, {
    services: [service],
    log: { format: 'json' },
    admin: { listen: ':1', hosts: ['a'] },
  })
  const env = {
    PROXYPROTOCOL_LOG_FORMAT: 'json',
    PROXYPROTOCOL_ADMIN: ':2',
    PROXYPROTOCOL_ADMIN_HOSTS: 'b,c',
  }
  const flags = ['--log-format', 'text', '--admin', ':3', '--admin-hosts', 'd']
  assert.deepEqual(shown(configured(arg)), ['text', undefined, undefined])
  assert.deepEqual(shown(configured(['--config', file])), ['json', 1, ['a']])
  assert.deepEqual(shown(configured(['--config', file], env)), ['json', 2, ['b', 'c']])
  assert.deepEqual(shown(configured(['--config', file, ...flags], env)), ['text', 3, ['d']])
})

test('block lists are named with commas between them, and their settings need a list', async () => {
  const [{ dnsbl } = {}] = configured([
    ...arg,
    ...['--dnsbl', 'a.example, b.example', '--dnsbl-action', 'reject', '--dnsbl-timeout', '500'],
    ...['--dnsbl-servers', '127.0.0.1,[::1]:5353'],
  ]).services
  const servers = ['127.0.0.1', '[::1]:5353']
  assert.deepEqual(dnsbl, { zones: ['a.example', 'b.example'], action: 'reject', timeout: 500, servers })
  const fromEnvironment = configured(arg, { PROXYPROTOCOL_DNSBL: 'a.example' }).services[0]?.dnsbl
  assert.deepEqual(fromEnvironment, { zones: ['a.example'], action: 'tag', timeout: 1_000 })
  assert.match(
    await refused([...arg, '--dnsbl-timeout', '500']),
    /--dnsbl must be a list, each a string such as "zen\.spamhaus\.org", got nothing/,
  )
  // Seconds, as the Python program takes them.
  assert.match(
    await refused([...arg, '--dnsbl', 'a.example', '--dnsbl-timeout', '5']),
    /--dnsbl-timeout must be an integer from 10 to 2147483647 \(milliseconds\) or .*, got 5/,
  )
})

test('words that stand for no bound are taken from flags too', () => {
  const { services } = configured([...arg, '--idle-timeout', 'never', '--max-per-source', 'unlimited'])
  assert.deepEqual(
    services.map(({ timeouts, limits }) => [timeouts.idle, limits.perSource]),
    [[Infinity, Infinity]],
  )
})

test('the services of the command line come after those of the file', t => {
  const file = configFile(t, { services: [{ ...service, name: 'web' }] })
  const args = ['--config', file, '--service', ':1?pp=v1', ':2', '--service', ':3', ':4', '--trust', 'anyone']
  assert.deepEqual(
    configured(args).services.map(({ name, accepts }) => [name, accepts?.version]),
    [
      ['web', undefined],
      [':1', 'v1'],
      [':3', undefined],
    ],
  )
})

test('PROXYPROTOCOL_CONFIG names the file unless an argument does', t => {
  const [first, second] = ['first', 'second'].map(name => configFile(t, { services: [{ ...service, name }] }))
  assert.ok(first && second)
  const env = { PROXYPROTOCOL_CONFIG: first }
  assert.equal(configured([], env).services[0]?.name, 'first')
  assert.equal(configured(['--config', second], env).services[0]?.name, 'second')
  assert.equal(configured(['check', second], env).services[0]?.name, 'second')
})

test('--help says of each setting what the schema says, with unit, default and variable', async () => {
  const io = fakeIo()
  assert.equal(await runServer(['--help'], io), 0)
  const help = io.written.join('').replace(/\s+/g, ' ')
  for (const { flag, variable, node } of settings()) {
    const none = Array.isArray(node.default) && node.default.length === 0 ? 'none' : undefined
    const { description = '', unit, defaultIs = none ?? node.default, type } = node
    const details = [
      ...(unit === undefined ? [] : [`in ${unit === 'ms' ? 'milliseconds' : unit}`]),
      ...(type === 'boolean' ? [] : [`default: ${String(defaultIs)}`]),
      variable,
    ]
    assert.ok(help.includes(` --${flag} `), flag)
    assert.ok(help.includes(`${description.slice(1, -1)} (${details.join('; ')})`), `${flag} in ${help}`)
  }
  assert.doesNotMatch(help, /default: ?[;)]/)
})

test('everything that is wrong outside the file is told at once, by the name it was given by', async () => {
  const errors = await refused([...arg, '--idle-timeout', '5 s', '--max-connections', '0'], {
    PROXYPROTOCOL_DRAIN: '',
    PROXYPROTOCOL_QUIET: 'yes',
    PROXYPROTOCOL_HEADER_TIMEOUT: '05',
  })
  assert.deepEqual(errors.split('\n'), [
    'error: --max-connections must be an integer from 1, got 0',
    'error: PROXYPROTOCOL_HEADER_TIMEOUT must be an integer from 1 to 2147483647 (milliseconds) or a string such as "10s", got "05"',
    'error: --idle-timeout must be an integer from 1 to 2147483647 (milliseconds) or a string such as "10s" or "never", got "5 s"',
    'error: PROXYPROTOCOL_DRAIN must be an integer from 0 to 2147483647 (milliseconds) or a string such as "10s", got ""',
    'error: PROXYPROTOCOL_QUIET must be true or false, got "yes"',
    '',
  ])
})

test('a variable that does not exist is refused with the one that was meant', async () => {
  const errors = await refused(arg, { PROXYPROTOCOL_DRIAN: '1', PROXYPROTOCOL_X: '2', PROXYPROTOCOLS: '3' })
  const [first, second = '', ...rest] = errors.split('\n')
  assert.equal(
    first,
    'error: PROXYPROTOCOL_DRIAN: unknown environment variable; did you mean PROXYPROTOCOL_DRAIN?',
  )
  assert.match(second, /^error: PROXYPROTOCOL_X: .*; there are PROXYPROTOCOL_CONFIG, PROXYPROTOCOL_DRAIN, /)
  assert.deepEqual(rest, [''])
})

test('what Kubernetes sets for a service that is called like the programs is not a misspelt variable', () => {
  const names = [
    ...['TRUST', 'PORTS', 'VERSION'], // of proxyprotocol/register
    ...['SERVICE_HOST', 'SERVICE_PORT', 'SERVICE_PORT_HTTP', 'PORT', 'PORT_80_TCP', 'PORT_80_TCP_ADDR'],
    ...['PORT_53_UDP_PORT', 'PORT_80_TCP_PROTO', 'SERVER_SERVICE_HOST', 'SERVER_PORT'],
  ]
  const env = Object.fromEntries(names.map(name => [`PROXYPROTOCOL_${name}`, 'tcp://10.0.0.1:80']))
  assert.equal(configured(arg, env).services.length, 1)
})

test('a file that is wrong or not there ends it with 2 and says which, and where', async t => {
  const file = configFile(t, '{ "services": [ { "listen": ":1", "upstrem": ":2" } ] }')
  for (const args of [
    ['--config', file],
    ['check', file],
  ]) {
    assert.deepEqual((await refused(args)).split('\n'), [
      `error: ${file}:1:35: services[0].upstrem must be a known key; did you mean "upstream"?`,
      `error: ${file}:1:17: services[0].upstream must be a string such as "192.0.2.1:8080" or "192.0.2.1:8080?pp=v1", or \`upstreams\` a list, got nothing`,
      '',
    ])
  }
  assert.match(
    await refused(['--config', `${file}.old`]),
    /^error: the configuration cannot be read: ENOENT: .*proxy\.json\.old'\n$/,
  )
})

test('check takes files, or --config', async t => {
  const file = configFile(t, { services: [service] })
  assert.equal(
    await refused(['check', file, '--config', file]),
    'error: check takes its FILE or --config, not both\n',
  )
  assert.match(await refused(['check', file, file]), /services\[0\]\.listen must not overlap with :10000/)
  assert.match(await refused(['check']), /missing required argument 'FILE'/)
})
