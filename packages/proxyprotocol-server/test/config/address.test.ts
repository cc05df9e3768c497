// Tables of what is accepted and refused, then the two properties that hold for every text.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { ConfigError, formatAddress, parseAddress } from '../../src/config/index.ts'
import type { Address, AddressOptions } from '../../src/config/index.ts'

const LISTEN: AddressOptions = { role: 'listen' }
const UPSTREAM: AddressOptions = { role: 'upstream' }

function address(host: string | undefined, port: number, pp?: Address['pp']): Address {
  return { host, port, pp }
}

/** The message of the ConfigError that the text is refused with. */
function refusalOf(text: string, options: AddressOptions): string {
  try {
    parseAddress(text, options)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.equal(error.name, 'ConfigError')
    return error.message
  }
  return assert.fail(`${JSON.stringify(text)} was accepted`)
}

const LABEL_63 = 'a'.repeat(63)
const NAME_253 = `${`${LABEL_63}.`.repeat(3)}${'b'.repeat(61)}`

const ACCEPTED: readonly (readonly [string, Address])[] = [
  ['192.0.2.1:80', address('192.0.2.1', 80)],
  ['backend.example:8080', address('backend.example', 8080)],
  ['Backend.EXAMPLE:8080', address('backend.example', 8080)],
  ['backend.example.:8080', address('backend.example.', 8080)],
  ['my_service-1:8080', address('my_service-1', 8080)],
  ['1a.2b:1', address('1a.2b', 1)],
  ['1.2.3.4.5e:1', address('1.2.3.4.5e', 1)],
  [`${NAME_253}:80`, address(NAME_253, 80)],
  [`${NAME_253}.:80`, address(`${NAME_253}.`, 80)],
  ['[2001:DB8::1]:65535', address('2001:db8::1', 65_535)],
  ['[::ffff:192.0.2.1]:80', address('::ffff:192.0.2.1', 80)],
  ['[FE80::1%Eth0]:80', address('fe80::1%Eth0', 80)],
  ['tcp://192.0.2.1:80', address('192.0.2.1', 80)],
  ['TCP://[::1]:80?pp=v2', address('::1', 80, 'v2')],
  ['ssl:80', address('ssl', 80)],
  ['unix:80', address('unix', 80)],
  ['192.0.2.1:80?pp=v1', address('192.0.2.1', 80, 'v1')],
  ['192.0.2.1:80?pp=V2', address('192.0.2.1', 80, 'v2')],
  ['192.0.2.1:80?pp=Detect', address('192.0.2.1', 80, 'detect')],
  ['192.0.2.1:80?pp=noop', address('192.0.2.1', 80, 'noop')],
  ['192.0.2.1:80?pp=', address('192.0.2.1', 80)],
  ['192.0.2.1:80?pp', address('192.0.2.1', 80)],
  ['192.0.2.1:80?', address('192.0.2.1', 80)],
]

test('parseAddress() reads every form with a port alike for both roles', () => {
  for (const [text, expected] of ACCEPTED) {
    assert.deepEqual(parseAddress(text, LISTEN), expected, text)
    assert.deepEqual(parseAddress(text, UPSTREAM), expected, text)
  }
})

test('parseAddress() takes a port alone as every interface to listen on, and as localhost to connect to', () => {
  assert.deepEqual(parseAddress(':10007', LISTEN), address(undefined, 10_007))
  assert.deepEqual(parseAddress('tcp://:10007', LISTEN), address(undefined, 10_007))
  assert.deepEqual(parseAddress(':10007?pp=v1', UPSTREAM), address('localhost', 10_007, 'v1'))
})

test('parseAddress() lets the system pick the port of a listen address only', () => {
  assert.deepEqual(parseAddress('127.0.0.1:0', LISTEN), address('127.0.0.1', 0))
  assert.match(refusalOf('127.0.0.1:0', UPSTREAM), /the port "0" is not a plain number from 1 to 65535/)
})

test('parseAddress() gives a listen address without a port the default one', () => {
  const options: AddressOptions = { role: 'listen', defaultPort: 10_007 }
  assert.deepEqual(parseAddress('localhost', options), address('localhost', 10_007))
  assert.deepEqual(parseAddress('localhost?pp=v1', options), address('localhost', 10_007, 'v1'))
  assert.deepEqual(parseAddress('::1', options), address('::1', 10_007))
  assert.deepEqual(parseAddress('[::1]', options), address('::1', 10_007))
  assert.deepEqual(parseAddress('2001:db8::1:8080', options), address('2001:db8::1:8080', 10_007))
  assert.deepEqual(parseAddress('localhost:80', options), address('localhost', 80))
  assert.deepEqual(parseAddress('::', { role: 'listen', defaultPort: 0 }), address('::', 0))
})

test('parseAddress() refuses a missing port where there is no default, and shows where it goes', () => {
  assert.match(refusalOf('localhost', LISTEN), /it names no port, which "localhost:PORT" would/)
  assert.match(refusalOf('::1', UPSTREAM), /it names no port, which "\[::1\]:PORT" would/)
  assert.match(refusalOf('[::1]', UPSTREAM), /it names no port, which "\[::1\]:PORT" would/)
  assert.match(refusalOf('192.0.2.1', { role: 'upstream', defaultPort: 80 }), /it names no port/)
})

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['', /it names neither a host nor a port/],
  ['?pp=v1', /it names neither a host nor a port/],
  ['tcp://', /it names neither a host nor a port/],
  [':', /the port "" is not/],
  ['localhost:', /the port "" is not/],
  ['[::1]:', /the port "" is not/],
  ['localhost:65536', /the port "65536" is not a plain number from [01] to 65535/],
  ['localhost:080', /the port "080" is not/],
  ['localhost:-1', /the port "-1" is not/],
  ['localhost:+80', /the port "\+80" is not/],
  ['localhost:8_0', /the port "8_0" is not/],
  ['localhost:80/', /the port "80\/" is not/],
  ['localhost:http', /the port "http" is not/],
  ['localhost:80\n', /the port "80\\n" is not/],
  [' localhost:80', /" localhost" is neither a host name nor an IP address;/],
  ['user@localhost:80', /"user@localhost" is neither/],
  ['/run/app.sock', /"\/run\/app.sock" is neither/],
  ['*:80', /"\*" is neither/],
  ['-a.example:80', /"-a.example" is neither/],
  ['a-.example:80', /"a-.example" is neither/],
  ['a..example:80', /"a..example" is neither/],
  ['.:80', /"." is neither/],
  [`a${LABEL_63}.example:80`, /is neither/],
  [`${NAME_253}b:80`, /is neither/],
  ['10007', /"10007" is neither .* \(a port on its own is written ":10007"\);/],
  ['127.1:80', /"127.1" is neither/],
  ['192.0.2.256:80', /"192.0.2.256" is neither/],
  ['0177.0.0.1:80', /"0177.0.0.1" is neither/],
  ['0x7f000001:80', /"0x7f000001" is neither/],
  ['192.0.2.1.:80', /"192.0.2.1." is neither/],
  ['2001:db8:0:0:0:0:0:1:80', /it is not HOST:PORT \(an IPv6 host needs brackets/],
  ['localhost:80:80', /it is not HOST:PORT/],
  ['[::1]80', /it is not HOST:PORT/],
  ['[::1', /it is not HOST:PORT/],
  ['[192.0.2.1]:80', /only an IPv6 address stands in brackets, not "192.0.2.1"/],
  ['[]:80', /only an IPv6 address stands in brackets, not ""/],
  ['[::1]]:80', /only an IPv6 address stands in brackets, not "::1\]"/],
  ['ssl://192.0.2.1:443', /TLS is not supported by this version yet/],
  ['TLS://192.0.2.1:443?cert=cert.pem', /TLS is not supported by this version yet/],
  ['unix:', /UNIX sockets are not supported by this version yet/],
  ['Unix:app.sock', /UNIX sockets are not supported by this version yet/],
  ['unix:/run/app.sock', /UNIX sockets are not supported by this version yet/],
  ['unix:///run/app.sock', /UNIX sockets are not supported by this version yet/],
  ['http://192.0.2.1:80', /there is no scheme "http"/],
  ['192.0.2.1:80?pp=v3', /"pp" is "v3", wanted one of v1, v2, detect, noop/],
  ['192.0.2.1:80?pp=v1?', /"pp" is "v1\?", wanted one of/],
  ['192.0.2.1:80?pp=v1&pp=v1', /the key "pp" is given more than once/],
  ['192.0.2.1:80?pp=&pp=v1', /the key "pp" is given more than once/],
  ['192.0.2.1:80?pp=v1&', /there is no key ""/],
  ['192.0.2.1:80?PP=v1', /there is no key "PP", did you mean "pp"\?/],
  ['192.0.2.1:80?p=v1', /there is no key "p", did you mean "pp"\?/],
  ['192.0.2.1:80?pp=v1&veryfy=x', /there is no key "veryfy", did you mean "verify"\?/],
  ['192.0.2.1:80?timeout=5', /there is no key "timeout", only "pp"/],
]

for (const key of ['cert', 'key', 'verify', 'cafile', 'capath', 'cadata']) {
  test(`parseAddress() refuses the TLS key ${key} instead of ignoring it`, () => {
    const problem = refusalOf(`192.0.2.1:443?pp=v1&${key}=x`, UPSTREAM)
    assert.ok(
      problem.includes(`the key "${key}" is for TLS, which is not supported by this version yet`),
      problem,
    )
  })
}

test('parseAddress() says what is wrong with a text, for both roles', () => {
  for (const [text, problem] of REFUSED) {
    assert.match(refusalOf(text, LISTEN), problem)
    assert.match(refusalOf(text, UPSTREAM), problem)
  }
})

test('a refusal names the role, quotes the whole text and ends in an example that is accepted', () => {
  for (const options of [LISTEN, UPSTREAM]) {
    const message = refusalOf('http://"\u001b', options)
    assert.ok(message.startsWith(`${options.role} address "http://\\"\\u001b": `), message)
    const [, example = ''] = /; a right one is "(.*)"$/.exec(message) ?? []
    assert.equal(formatAddress(parseAddress(example, options)), example)
  }
})

test('parseAddress() treats a default port that is none as misuse', () => {
  for (const defaultPort of [-1, 1.5, 65_536, NaN]) {
    const error = {
      name: 'RangeError',
      message: `defaultPort is ${String(defaultPort)}, wanted a whole number from 0 to 65535`,
    }
    assert.throws(() => parseAddress('localhost', { role: 'listen', defaultPort }), error)
  }
})

test('formatAddress() writes brackets around IPv6 alone, and pp only where there is one', () => {
  assert.equal(formatAddress(address('192.0.2.1', 80)), '192.0.2.1:80')
  assert.equal(formatAddress(address('2001:db8::1', 80, 'noop')), '[2001:db8::1]:80?pp=noop')
  assert.equal(formatAddress(address(undefined, 0, 'detect')), ':0?pp=detect')
})

const host = fc.oneof(
  fc.constant(''),
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map(ip => `[${ip}]`),
  fc.constantFrom('LOCALHOST', 'a_b', '[fe80::1%Eth0]'),
)
const query = fc.constantFrom('', '?', '?pp', '?pp=', '?pp=v1', '?pp=V2', '?pp=detect', '?pp=NoOp')
const valid = fc
  .tuple(fc.constantFrom('', 'tcp://', 'Tcp://'), host, fc.integer({ min: 1, max: 65_535 }), query)
  .map(([scheme, name, port, rest]) => `${scheme}${name}:${String(port)}${rest}`)
const options = fc.constantFrom<AddressOptions>(LISTEN, UPSTREAM, { role: 'listen', defaultPort: 10_007 })

test('every valid text survives parse, format and parse again', () => {
  fc.assert(
    fc.property(valid, options, (text, given) => {
      const parsed = parseAddress(text, given)
      assert.deepEqual(parseAddress(formatAddress(parsed), given), parsed)
    }),
  )
})

test('a host named unix survives parse and format, which would be a socket with a path behind it', () => {
  const parsed = parseAddress('unix', { role: 'listen', defaultPort: 80 })
  assert.deepEqual(parseAddress(formatAddress(parsed), LISTEN), address('unix', 80))
})

test('every text gives an address that formats to its own canonical text, or a ConfigError', () => {
  const piece = fc.constantFrom(
    ...Array.from('[]:/?&=%.-_*@#0179af \n'),
    '::',
    '://',
    'tcp',
    'unix',
    'ssl',
    'pp',
    'v1',
    'cert',
    'é',
  )
  const junk = fc.array(fc.oneof(piece, valid), { maxLength: 12 }).map(pieces => pieces.join(''))
  fc.assert(
    fc.property(fc.oneof(junk, fc.string({ unit: 'binary' })), options, (text, given) => {
      let parsed: Address
      try {
        parsed = parseAddress(text, given)
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error))
        return
      }
      assert.deepEqual(parseAddress(formatAddress(parsed), given), parsed)
    }),
    { numRuns: 2_000 },
  )
})
