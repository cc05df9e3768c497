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
  ['/run/app.sock', /"\/run\/app.sock" is neither .* \(a UNIX socket is written "unix:\/run\/app.sock"\);/],
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
  ['unix:', /a UNIX socket is written "unix:\/PATH", from the root/],
  ['Unix:app.sock', /a UNIX socket is written "unix:\/PATH", from the root/],
  ['unix://app.sock', /a UNIX socket is written "unix:\/PATH", from the root/],
  ['unix:%2Frun', /a UNIX socket is written "unix:\/PATH", from the root/],
  ['unix:/', /its path does not name a file/],
  ['unix:/run/', /its path does not name a file/],
  ['unix:/run/a%00b', /its path does not name a file/],
  ['unix:/run/100%', /"\/run\/100%" is not percent-encoded text, where "%" is written "%25"/],
  ['unix:/run/%ff', /is not percent-encoded text/],
  ['unix:/run/\ud800', /is not percent-encoded text/],
  [`unix:/${'\u00e9'.repeat(54)}`, /its path has 109 bytes, and may have 107/],
  ['http://192.0.2.1:80', /unknown scheme "http"/],
  ['192.0.2.1:80?pp=v3', /"pp" is "v3", wanted one of v1, v2, detect, noop/],
  ['192.0.2.1:80?pp=v1?', /"pp" is "v1\?", wanted one of/],
  ['192.0.2.1:80?pp=v1&pp=v1', /the key "pp" is given more than once/],
  ['192.0.2.1:80?pp=&pp=v1', /the key "pp" is given more than once/],
  ['192.0.2.1:80?pp=v1&', /unknown key ""/],
  ['192.0.2.1:80?PP=v1', /unknown key "PP"; did you mean "pp"\?/],
  ['192.0.2.1:80?p=v1', /unknown key "p"; did you mean "pp"\?/],
  ['192.0.2.1:80?pp=v1&veryfy=x', /unknown key "veryfy"; did you mean "verify"\?/],
  ['192.0.2.1:80?timeout=5', /unknown key "timeout"; only "pp", and with TLS others/],
  ['192.0.2.1:80?toString=5', /unknown key "toString"/],
  ['192.0.2.1:80?pp=%', /"%" is not percent-encoded text/],
  ['ssl://192.0.2.1:443?cert=a&cert=b', /the key "cert" is given more than once/],
  ['ssl://192.0.2.1:443?Cert=a', /unknown key "Cert"; did you mean "cert"\?/],
  [
    'ssl://192.0.2.1:443?cert=a&verify=required',
    /"verify" is "required", wanted one of CERT_NONE, CERT_OPTIONAL, CERT_R/,
  ],
  ['ssl://192.0.2.1:443?cert=a&minversion=1.2', /"minVersion" is "1.2", wanted one of TLSv1.2, TLSv1.3/],
  ['ssl://192.0.2.1:443?cert=a&alpn=h2,', /"alpn" names "", wanted different names of 1 to 255 bytes/],
  ['ssl://192.0.2.1:443?key=a', /"cert" is missing|"key" is of no use without "cert"/],
]

const TLS_KEYS = ['cert', 'key', 'verify', 'cafile', 'capath', 'cadata', 'minversion', 'alpn', 'servername']

for (const key of TLS_KEYS) {
  test(`parseAddress() refuses the TLS key ${key} where TLS is not spoken, instead of ignoring it`, () => {
    for (const place of ['192.0.2.1:443', 'tcp://192.0.2.1:443', 'unix:/run/app.sock']) {
      const problem = refusalOf(`${place}?pp=v1&${key}=x`, UPSTREAM)
      assert.ok(
        problem.includes(`the key "${key}" is for TLS, which an address speaks after "ssl://"`),
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
  assert.match(refusalOf('ssl://:443', LISTEN), /"cert" is missing, the file of the certificate/)
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
      message: `defaultPort is ${String(defaultPort)}, wanted a whole number from 0 to 65535`,
    }
    assert.throws(() => parseAddress('localhost', { role: 'listen', defaultPort }), error)
  }
})
