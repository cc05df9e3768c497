import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeClientHello, MAX_CLIENT_HELLO_BYTES } from '../../../src/relay/passthrough/client-hello.ts'
import { clientHello, helloWith, inRecords, record, vector } from '../../support/client-hello.ts'

/** Name and protocols as text; or the status and what it is for. */
function read(bytes: Uint8Array): unknown {
  const result = decodeClientHello(bytes)
  if (result.status !== 'hello') return result
  const { serverName, alpn } = result.hello
  return [serverName, ...alpn.map(protocol => Buffer.from(protocol).toString())]
}

function detailOf(bytes: Uint8Array): string {
  const result = decodeClientHello(bytes)
  return result.status === 'invalid' ? result.detail : result.status
}

function serverNames(...names: readonly (readonly [type: number, name: string])[]): [number, Buffer] {
  const entries = names.map(([type, name]) =>
    Buffer.concat([Uint8Array.of(type), vector(2, Buffer.from(name))]),
  )
  return [0, vector(2, Buffer.concat(entries))]
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`the ClientHello of a ${version} client says its server name and its protocols`, async () => {
    const only = { minVersion: version, maxVersion: version }
    const named = { servername: 'Mail.Example', ALPNProtocols: ['h2', 'http/1.1'], ...only }
    assert.deepEqual(read(await clientHello(named)), ['mail.example', 'h2', 'http/1.1'])
    assert.deepEqual(read(await clientHello(only)), [undefined])
  })
}

test('a ClientHello is partial up to its last byte, says what it lacks, and ignores what follows', async () => {
  const hello = await clientHello({ servername: 'a.example' })
  for (let length = 0; length < hello.length; length++) {
    const result = decodeClientHello(hello.subarray(0, length))
    assert.ok(result.status === 'partial', `at ${length}`)
    assert.ok(
      result.missing >= 1 && length + result.missing <= hello.length,
      `at ${length}: ${result.missing}`,
    )
  }
  assert.deepEqual(read(Buffer.concat([hello, Buffer.from('early data')])), ['a.example'])
})

test('a ClientHello in several records is the same, in more than 16 it is refused', async () => {
  const hello = await clientHello({ servername: 'a.example', ALPNProtocols: ['h2'] })
  const sixteenth = Math.ceil((hello.length - 5) / 16)
  for (const size of [sixteenth, 100, hello.length]) {
    const cut = inRecords(hello, size)
    assert.deepEqual(read(cut), ['a.example', 'h2'], `${size}`)
    for (let length = 0; length < cut.length; length++) {
      assert.equal(decodeClientHello(cut.subarray(0, length)).status, 'partial', `${size}: at ${length}`)
    }
  }
  assert.equal(detailOf(inRecords(hello, sixteenth - 1)), 'it is cut into more than 16 records')
  // Its first record may end inside the four bytes that say how long it is.
  assert.deepEqual(read(Buffer.concat([inRecords(hello.subarray(0, 7), 1), record(hello.subarray(7))])), [
    'a.example',
    'h2',
  ])
})

test('what is not a ClientHello is known by its first byte that differs', () => {
  assert.equal(detailOf(Buffer.from('GET /')), 'its record has the type 71, not 22')
  assert.equal(detailOf(Uint8Array.of(22, 2)), 'its record has the version 2, not 3')
  assert.equal(detailOf(Uint8Array.of(22, 3, 1, 0, 0)), 'its record has 0 bytes, which no record has')
  assert.equal(detailOf(Uint8Array.of(22, 3, 1, 0x40, 1)), 'its record has 16385 bytes, which no record has')
  assert.equal(detailOf(Uint8Array.of(22, 3, 1, 0, 9, 2)), 'its message has the type 2, not 1')
  assert.equal(detailOf(record(Uint8Array.of(1, 0, 0x40, 2))), 'it says that it has 16390 bytes')
})

test('a ClientHello without extensions, or with an empty block of them, has no name', () => {
  assert.deepEqual(read(helloWith(undefined)), [undefined])
  assert.deepEqual(read(helloWith([])), [undefined])
})

test('a server name counts only as the name of a host', () => {
  assert.deepEqual(read(helloWith([serverNames([9, 'a'], [0, 'B_1.example'])])), ['b_1.example'])
  for (const name of [
    '',
    'a b',
    'a\nb',
    'a..b',
    '.a',
    'a.',
    `${'a'.repeat(64)}.example`,
    'a.'.repeat(127) + 'aa',
    'ä',
  ]) {
    assert.deepEqual(read(helloWith([serverNames([0, name])])), [undefined], JSON.stringify(name))
  }
  assert.deepEqual(read(helloWith([serverNames([9, 'a'])])), [undefined])
  assert.deepEqual(read(helloWith([serverNames()])), [undefined])
})

test('a length that points past its end is refused', () => {
  assert.equal(
    detailOf(helloWith([[0, Uint8Array.of(0, 9, 0)]])),
    'a length in it is wrong: 9 bytes are said to follow, but 1 do',
  )
  assert.match(detailOf(helloWith([[16, vector(2, Uint8Array.of(3, 104))]])), /^a length in it is wrong/)
  assert.match(detailOf(record(Uint8Array.of(1, 0, 0, 2, 3, 3))), /^a length in it is wrong/)
})

/** An extension with these protocols. */
function protocols(...names: readonly string[]): [number, Buffer] {
  return [16, vector(2, Buffer.concat(names.map(name => vector(1, Buffer.from(name)))))]
}

test('a protocol has a name (RFC 7301 section 3.1)', () => {
  assert.equal(detailOf(helloWith([protocols('h2', '')])), 'it offers a protocol without a name')
  assert.equal(
    detailOf(helloWith([protocols(...Array<string>(16_200).fill(''))])),
    'it offers a protocol without a name',
  )
})

test('a ClientHello offers at most 64 protocols, has at most 64 server names and at most 128 extensions', () => {
  const offered = Array.from({ length: 65 }, (_, n) => `p${n}`)
  assert.deepEqual(read(helloWith([protocols(...offered.slice(1))])), [undefined, ...offered.slice(1)])
  assert.equal(detailOf(helloWith([protocols(...offered)])), 'it offers more than 64 protocols')

  const names = Array<readonly [number, string]>(64).fill([9, 'a'])
  const host = [0, 'a.example'] as const
  assert.deepEqual(read(helloWith([serverNames(...names.slice(1), host)])), ['a.example'])
  assert.equal(detailOf(helloWith([serverNames(...names, host)])), 'it has more than 64 server names')

  const others = Array.from({ length: 128 }, (_, n): [number, Buffer] => [1_000 + n, Buffer.alloc(0)])
  assert.deepEqual(read(helloWith([...others.slice(1), serverNames(host)])), ['a.example'])
  assert.equal(detailOf(helloWith([...others, serverNames(host)])), 'it has more than 128 extensions')
})

test('a ClientHello says its server name once, and its protocols once (RFC 8446 section 4.2)', () => {
  const name = serverNames([0, 'a.example'])
  assert.equal(detailOf(helloWith([name, name])), 'it has two extensions of the type 0')
  const once = protocols('h2')
  assert.equal(detailOf(helloWith([once, name, once])), 'it has two extensions of the type 16')
  const other: [number, Buffer] = [0xfffe, Buffer.alloc(1)]
  assert.deepEqual(read(helloWith([other, name, other])), ['a.example'])
})

test('no bytes make it throw, nor ask for more than a ClientHello can have', async () => {
  const hello = await clientHello({ servername: 'a.example', ALPNProtocols: ['h2'] })
  const changes = fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(changes, fc.nat(hello.length), (made, length) => {
      const changed = Buffer.from(hello)
      for (const [at, byte] of made) changed[at] = byte
      const result = decodeClientHello(changed.subarray(0, length))
      return result.status !== 'partial' || (result.missing >= 1 && result.missing <= MAX_CLIENT_HELLO_BYTES)
    }),
    { numRuns: 2_000 },
  )
})
