// Tables of the addresses that parseAddress() accepts and refuses.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, formatAddress, parseAddress } from '../../../src/config/index.ts'
import type { Address, AddressOptions, TlsSettings } from '../../../src/config/index.ts'
import { LISTEN, UPSTREAM, address, unix } from '../../support/addresses.ts'

/** The TLS settings of a text, those left out that are undefined. */
function tlsOf(text: string, options: AddressOptions): Partial<TlsSettings> {
  const { tls = {} } = parseAddress(text, options)
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined))
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
  ['192.0.2.1:80?pp=v%31', address('192.0.2.1', 80, 'v1')],
  ['unix:/run/app.sock', unix('/run/app.sock')],
  ['UNIX:///run/app.sock', unix('/run/app.sock')],
  ['unix:////run/app.sock', unix('/run/app.sock')],
  ['unix:/run/app.sock?pp=v1', unix('/run/app.sock', 'v1')],
  ['unix:/run/a%3Fb%25c+d e:1.sock', unix('/run/a?b%c+d e:1.sock')],
  ['unix:/run/\u00e9%C3%A9', unix('/run/\u00e9\u00e9')],
  [`unix:/${'a'.repeat(106)}`, unix(`/${'a'.repeat(106)}`)],
]

test('parseAddress() reads every form with a port alike for both roles', () => {
  for (const [text, expected] of ACCEPTED) {
    assert.deepEqual(parseAddress(text, LISTEN), expected, text)
    assert.deepEqual(parseAddress(text, UPSTREAM), expected, text)
  }
})

test('parseAddress() reads the SRV records of an upstream, whose certificates are of their domain', () => {
  const srv = { ...address('app.internal', 0), srv: '_web._tcp.app.internal' }
  assert.deepEqual(parseAddress('srv:_Web._tcp.App.internal', UPSTREAM), srv)
  assert.deepEqual(parseAddress('SRV:_web._tcp.app.internal?pp=v1', UPSTREAM), { ...srv, pp: 'v1' })
  assert.deepEqual(parseAddress('srv:web.service.consul', UPSTREAM), {
    ...address('web.service.consul', 0),
    srv: 'web.service.consul',
  })
  assert.deepEqual(parseAddress('srv:80', UPSTREAM), address('srv', 80))
  const secure = parseAddress('tls+srv:_web._tcp.app.internal', UPSTREAM)
  assert.ok(secure.tls)
  assert.equal(
    formatAddress(secure),
    'ssl+srv:_web._tcp.app.internal?verify=CERT_REQUIRED&minversion=TLSv1.2',
  )
  assert.match(refusalOf('srv:_web._tcp.app', LISTEN), /SRV records must be of an upstream/)
  for (const text of ['srv:', 'srv:a b', 'srv://app', 'srv:app.internal:80'])
    assert.match(refusalOf(text, UPSTREAM), /"srv:" must stand before a name of SRV records, got ".*"/, text)
})

test('parseAddress() takes a port alone as every interface to listen on, and as localhost to connect to', () => {
  assert.deepEqual(parseAddress(':10007', LISTEN), address(undefined, 10_007))
  assert.deepEqual(parseAddress('tcp://:10007', LISTEN), address(undefined, 10_007))
  assert.deepEqual(parseAddress(':10007?pp=v1', UPSTREAM), address('localhost', 10_007, 'v1'))
})

test('parseAddress() lets the system pick the port of a listen address only', () => {
  assert.deepEqual(parseAddress('127.0.0.1:0', LISTEN), address('127.0.0.1', 0))
  assert.match(refusalOf('127.0.0.1:0', UPSTREAM), /the port must be a plain number from 1 to 65535, got "0"/)
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

test('parseAddress() refuses a missing port without a default, and shows where it goes', () => {
  assert.match(refusalOf('localhost', LISTEN), /it must have a port, as in "localhost:PORT"/)
  assert.match(refusalOf('::1', UPSTREAM), /it must have a port, as in "\[::1\]:PORT"/)
  assert.match(refusalOf('[::1]', UPSTREAM), /it must have a port, as in "\[::1\]:PORT"/)
  assert.match(refusalOf('192.0.2.1', { role: 'upstream', defaultPort: 80 }), /it must have a port/)
})

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['', /it must have a host or a port, got neither/],
  ['?pp=v1', /it must have a host or a port, got neither/],
  ['tcp://', /it must have a host or a port, got neither/],
  [':', /the port must be a plain number .*, got ""/],
  ['localhost:', /the port must be a plain number .*, got ""/],
  ['[::1]:', /the port must be a plain number .*, got ""/],
  ['localhost:65536', /the port must be a plain number from [01] to 65535, got "65536"/],
  ['localhost:080', /the port must be a plain number .*, got "080"/],
  ['localhost:-1', /the port must be a plain number .*, got "-1"/],
  ['localhost:+80', /the port must be a plain number .*, got "\+80"/],
  ['localhost:8_0', /the port must be a plain number .*, got "8_0"/],
  ['localhost:80/', /the port must be a plain number .*, got "80\/"/],
  ['localhost:http', /the port must be a plain number .*, got "http"/],
  ['localhost:80\n', /the port must be a plain number .*, got "80\\n"/],
  [' localhost:80', /the host must be a name or an IP address, got " localhost";/],
  ['user@localhost:80', /the host must be a name or an IP address, got "user@localhost"/],
  [
    '/run/app.sock',
    /the host must be .*, got "\/run\/app.sock" \(a UNIX socket is written "unix:\/run\/app.sock"\);/,
  ],
  ['*:80', /the host must be a name or an IP address, got "\*"/],
  ['-a.example:80', /the host must be a name or an IP address, got "-a.example"/],
  ['a-.example:80', /the host must be a name or an IP address, got "a-.example"/],
  ['a..example:80', /the host must be a name or an IP address, got "a..example"/],
  ['.:80', /the host must be a name or an IP address, got "."/],
  [`a${LABEL_63}.example:80`, /the host must be a name or an IP address, got /],
  [`${NAME_253}b:80`, /the host must be a name or an IP address, got /],
  ['10007', /the host must be .*, got "10007" \(a port on its own is written ":10007"\);/],
  ['127.1:80', /the host must be a name or an IP address, got "127.1"/],
  ['192.0.2.256:80', /the host must be a name or an IP address, got "192.0.2.256"/],
  ['0177.0.0.1:80', /the host must be a name or an IP address, got "0177.0.0.1"/],
  ['0x7f000001:80', /the host must be a name or an IP address, got "0x7f000001"/],
  ['192.0.2.1.:80', /the host must be a name or an IP address, got "192.0.2.1."/],
  ['2001:db8:0:0:0:0:0:1:80', /it must be HOST:PORT; an IPv6 host needs brackets/],
  ['localhost:80:80', /it must be HOST:PORT/],
  ['[::1]80', /it must be HOST:PORT/],
  ['[::1', /it must be HOST:PORT/],
  ['[192.0.2.1]:80', /what is in brackets must be an IPv6 address, got "192.0.2.1"/],
  ['[]:80', /what is in brackets must be an IPv6 address, got ""/],
  ['[::1]]:80', /what is in brackets must be an IPv6 address, got "::1\]"/],
  ['unix:', /a UNIX socket must be written "unix:\/PATH", from the root/],
  ['Unix:app.sock', /a UNIX socket must be written "unix:\/PATH", from the root/],
  ['unix://app.sock', /a UNIX socket must be written "unix:\/PATH", from the root/],
  ['unix:%2Frun', /a UNIX socket must be written "unix:\/PATH", from the root/],
  ['unix:/', /its path must be the name of a file/],
  ['unix:/run/', /its path must be the name of a file/],
  ['unix:/run/a%00b', /its path must be the name of a file/],
  ['unix:/run/100%', /"\/run\/100%" is not percent-encoded text, where "%" is written "%25"/],
  ['unix:/run/%ff', /is not percent-encoded text/],
  ['unix:/run/\ud800', /is not percent-encoded text/],
  [`unix:/${'\u00e9'.repeat(54)}`, /its path must have at most 107 bytes, got 109/],
  ['http://192.0.2.1:80', /the scheme must be .*, got "http"/],
  ['192.0.2.1:80?pp=v3', /"pp" must be one of v1, v2, detect, noop, got "v3"/],
  ['192.0.2.1:80?pp=v1?', /"pp" must be one of .*, got "v1\?"/],
  ['192.0.2.1:80?pp=v1&pp=v1', /the key "pp" must be given once, got it twice/],
  ['192.0.2.1:80?pp=&pp=v1', /the key "pp" must be given once, got it twice/],
  ['192.0.2.1:80?pp=v1&', /the key must be .*, got ""/],
  ['192.0.2.1:80?PP=v1', /the key must be .*, got "PP"; did you mean "pp"\?/],
  ['192.0.2.1:80?p=v1', /the key must be .*, got "p"; did you mean "pp"\?/],
  ['192.0.2.1:80?pp=v1&veryfy=x', /the key must be .*, got "veryfy"; did you mean "verify"\?/],
  ['192.0.2.1:80?timeout=5', /the key must be "pp", or with TLS one of cert, key, .*, got "timeout";/],
  ['192.0.2.1:80?toString=5', /the key must be .*, got "toString"/],
  ['192.0.2.1:80?pp=%', /"%" is not percent-encoded text/],
  ['ssl://192.0.2.1:443?cert=a&cert=b', /the key "cert" must be given once, got it twice/],
  ['ssl://192.0.2.1:443?Cert=a', /the key must be .*, got "Cert"; did you mean "cert"\?/],
  [
    'ssl://192.0.2.1:443?cert=a&verify=required',
    /"verify" must be one of CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED, got "required"/,
  ],
  ['ssl://192.0.2.1:443?cert=a&minversion=1.2', /"minVersion" must be one of TLSv1.2, TLSv1.3, got "1.2"/],
  ['ssl://192.0.2.1:443?cert=a&alpn=h2,', /"alpn" must be different names of 1 to 255 bytes, got ""/],
  ['ssl://192.0.2.1:443?key=a', /"cert" must be the file|"key" must stand beside "cert", got it alone/],
]

const TLS_KEYS = ['cert', 'key', 'verify', 'cafile', 'capath', 'cadata', 'minversion', 'alpn', 'servername']

for (const key of TLS_KEYS) {
  test(`parseAddress() refuses the TLS key ${key} where TLS is not spoken, instead of ignoring it`, () => {
    for (const place of ['192.0.2.1:443', 'tcp://192.0.2.1:443', 'unix:/run/app.sock']) {
      const problem = refusalOf(`${place}?pp=v1&${key}=x`, UPSTREAM)
      assert.ok(
        problem.includes(`the key "${key}" must stand in an address with TLS, which starts with "ssl://"`),
        problem,
      )
    }
  })
}

test('parseAddress() reads every TLS key of a listen address', () => {
  const query = 'cert=/c.pem&key=k%26.pem&verify=CERT_REQUIRED&cafile=a+b.pem&capath=/ca&cadata=%0A'
  for (const place of ['ssl://:443', 'TLS://:443', 'ssl+unix:/run/s', 'tls+unix:///run/s']) {
    assert.deepEqual(tlsOf(`${place}?${query}&minversion=TLSv1.3&alpn=h2,http/1.1`, LISTEN), {
      cert: '/c.pem',
      key: 'k&.pem',
      verify: 'CERT_REQUIRED',
      cafile: 'a+b.pem',
      capath: '/ca',
      cadata: '\n',
      minVersion: 'TLSv1.3',
      alpn: ['h2', 'http/1.1'],
    })
  }
})

test('parseAddress() takes TLS without keys as TLS with the defaults of its side, and needs a certificate to listen', () => {
  const defaults = { minVersion: 'TLSv1.2', alpn: [] }
  assert.deepEqual(tlsOf('ssl://:443', UPSTREAM), { verify: 'CERT_REQUIRED', ...defaults })
  assert.deepEqual(tlsOf('tls://:443?cert=&key=&verify=&alpn=&servername=', UPSTREAM), {
    verify: 'CERT_REQUIRED',
    ...defaults,
  })
  assert.deepEqual(tlsOf('ssl://:443?cert=c.pem', LISTEN), {
    cert: 'c.pem',
    verify: 'CERT_NONE',
    ...defaults,
  })
  assert.match(refusalOf('ssl://:443', LISTEN), /"cert" must be the file of the certificate, got nothing/)
})

test('parseAddress() says what is wrong with a text, for both roles', () => {
  for (const [text, problem] of REFUSED) {
    assert.match(refusalOf(text, LISTEN), problem)
    assert.match(refusalOf(text, UPSTREAM), problem)
  }
})

test('a refusal names the role, quotes the whole text and ends in an example that is accepted', () => {
  for (const [options, scheme] of [LISTEN, UPSTREAM].flatMap(
    each =>
      [
        [each, 'http'],
        [each, 'ssl'],
      ] as const,
  )) {
    const message = refusalOf(`${scheme}://"\u001b`, options)
    assert.ok(message.startsWith(`${options.role} address "${scheme}://\\"\\u001b": `), message)
    assert.equal(message.includes('a right one is "ssl://'), scheme === 'ssl')
    const [, example = ''] = /; a right one is "(.*)"$/.exec(message) ?? []
    assert.equal(formatAddress(parseAddress(example, options)), example)
  }
})

test('parseAddress() treats a default port that is none as misuse', () => {
  for (const defaultPort of [-1, 1.5, 65_536, NaN]) {
    const error = {
      name: 'RangeError',
      message: `defaultPort must be an integer from 0 to 65535, got ${String(defaultPort)}`,
    }
    assert.throws(() => parseAddress('localhost', { role: 'listen', defaultPort }), error)
  }
})
