// What a ClientHello costs the relay that passes TLS through: those of clients, and the costliest that a stranger can make
// of 16 kB. `npm run bench:client-hello` tells in some seconds.

import {
  decodeClientHello,
  MAX_CLIENT_HELLO_BYTES,
} from '../packages/proxyprotocol-server/src/relay/passthrough/client-hello.ts'
import {
  clientHello,
  helloWith,
  inRecords,
  vector,
} from '../packages/proxyprotocol-server/test/support/client-hello.ts'
import { timeOf } from './codec/measure.ts'
import { median } from './median.ts'

/** Enough for a median that a disturbed round or two do not move. */
const ROUNDS = 11
/** Calls between two looks at the clock: even the slowest takes less than 100 ms for them. */
const BATCH = 16

const SERVER_NAME = 0
const ALPN = 16
/** An undefined type. */
const UNKNOWN = 0xfffe

/** Bytes so many times. */
function times(count: number, bytes: Uint8Array): Buffer {
  return Buffer.concat(Array<Uint8Array>(count).fill(bytes))
}

function alpn(count: number, name: string): [number, Buffer] {
  return [ALPN, vector(2, times(count, vector(1, Buffer.from(name))))]
}

/** Names of a type that no client knows, in front of a host's. */
function serverNames(count: number): [number, Buffer] {
  const other = Buffer.concat([Uint8Array.of(9), vector(2, Buffer.alloc(0))])
  const host = Buffer.concat([Uint8Array.of(0), vector(2, Buffer.from('mail.example'))])
  return [SERVER_NAME, vector(2, Buffer.concat([times(count, other), host]))]
}

/** Extensions without content, each of another type. */
function extensions(count: number): [number, Buffer][] {
  return Array.from({ length: count }, (_, n) => [UNKNOWN - n, Buffer.alloc(0)])
}

const named = await clientHello({ servername: 'mail.example', ALPNProtocols: ['h2', 'http/1.1'] })
const large = helloWith([[UNKNOWN, Buffer.alloc(16_250)], serverNames(0), alpn(2, 'h2')])
const hellos: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['a client of Node', named],
  ['the same in 16 records', inRecords(named, Math.ceil((named.length - 5) / 16))],
  ['one large extension', large],
  ['a name of 16,000 letters', helloWith([[SERVER_NAME, vector(2, hostName(16_000))]])],
  ['16,200 empty ALPN names', helloWith([alpn(16_200, '')])],
  ['8,100 ALPN names of a letter', helloWith([alpn(8_100, 'a')])],
  ['64 ALPN names', helloWith([alpn(64, 'http/1.1')])],
  ['127 extensions of 60 ALPN names', helloWith(Array.from({ length: 127 }, () => alpn(60, 'a')))],
  ['5,390 server names of another type', helloWith([serverNames(5_390)])],
  ['63 server names of another type', helloWith([serverNames(63)])],
  ['4,000 extensions', helloWith(extensions(4_000))],
  ['128 extensions', helloWith(extensions(128))],
]

function hostName(letters: number): Buffer {
  return Buffer.concat([Uint8Array.of(0), vector(2, Buffer.alloc(letters, 'a'))])
}

console.log('| ClientHello | bytes | outcome | µs |\n| --- | --: | --- | --: |')
for (const [what, bytes] of hellos) {
  if (bytes.length > MAX_CLIENT_HELLO_BYTES) throw new RangeError(`${what}: it has ${bytes.length} bytes`)
  const nanoseconds = Array.from({ length: ROUNDS }, () => timeOf(() => decodeClientHello(bytes), BATCH))
  const { status } = decodeClientHello(bytes)
  console.log(`| ${what} | ${bytes.length} | ${status} | ${(median(nanoseconds) / 1000).toFixed(1)} |`)
}
