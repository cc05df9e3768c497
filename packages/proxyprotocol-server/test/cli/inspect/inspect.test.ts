import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { encodeHeader, parseHeader, readTlvs, tlv } from 'proxyprotocol'
import { extensionTlv } from 'proxyprotocol/server'
import { inspectIo, runInspect, wantsColours, type InspectIo } from '../../../src/cli/inspect/inspect.ts'
import { closedPort } from '../../support/sockets.ts'
import { fakeIo } from '../../support/program.ts'

const line = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'

interface Run {
  readonly code: number
  readonly out: string
  readonly errors: string
  readonly bytes: Buffer
}

async function run(args: readonly string[], io: Partial<InspectIo> = {}): Promise<Run> {
  const fake = fakeIo()
  const written: Uint8Array[] = []
  const code = await runInspect(args, {
    ...fake,
    outBytes: bytes => written.push(bytes),
    stdin: () => Promise.resolve(new Uint8Array()),
    isTerminal: false,
    colours: false,
    ...io,
  })
  return { code, out: fake.written.join(''), errors: fake.errors.join(''), bytes: Buffer.concat(written) }
}

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex')
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'inspect-'))
  t.after(() => {
    rmSync(path, { recursive: true })
  })
  return path
}

test('a header is shown field by field, with what follows it', async () => {
  const { code, out } = await run([hexOf(`${line}GET /`)])
  assert.equal(code, 0)
  assert.equal(
    out,
    `PROXY protocol version 1, PROXY, 45 bytes

0000  50 52 4f 58 59           signature              2.1    PROXY
0005  20                       separator              2.1    space
0006  54 43 50 34              protocol               2.1    TCP4
000a  20                       separator              2.1    space
000b  31 39 32 2e 30 2e 32 2e  source address         2.1    192.0.2.1
0013  31
0014  20                       separator              2.1    space
0015  31 39 38 2e 35 31 2e 31  destination address    2.1    198.51.100.7
001d  30 30 2e 37
0021  20                       separator              2.1    space
0022  35 36 33 32 34           source port            2.1    56324
0027  20                       separator              2.1    space
0028  34 34 33                 destination port       2.1    443
002b  0d 0a                    line end               2.1    CR LF

5 bytes of payload

002d  47 45 54 20 2f           GET /
`,
  )
})

test('one byte behind a header is one byte', async () => {
  const { out } = await run([hexOf(`${line}G`)])
  assert.match(out, /^1 byte of payload$/m)
})

test('TLVs are shown as a tree, and what is no printable ASCII is escaped', async () => {
  const tlvs = [tlv.authority('a\u001b[31m\u202e'), tlv.ssl({ version: 'TLSv1.3' })]
  const { out } = await run([Buffer.from(encodeHeader({ command: 'LOCAL', tlvs })).toString('base64')])
  assert.match(out, /^0010 {27}authority {14}2\.2\.2 {2}"a\\u001b\[31m\\u202e"$/m)
  assert.match(out, /^\w{4} {2}01 {25}client {15}2\.2\.6 {2}0x01 SSL$/m)
  assert.match(out, /^\w{4} {29}sslVersion {11}2\.2\.6 {2}TLSv1\.3$/m)
})

test('what is no header is shown with the byte at fault, what was wanted there, and what came', async () => {
  const { code, out } = await run(['--as', 'raw', 'GET / HTTP/1.1\r\n'])
  assert.equal(code, 3)
  assert.equal(
    out,
    `no header: byte 0 is the first that cannot be part of one

0000  47 45 54 20 2f 20 48 54  GET / HT
      ^^
0008  54 50 2f 31 2e 31 0d 0a  TP/1.1..

wanted  a header must start with "PROXY " (version 1) or 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a (version 2)
got     this looks like an HTTP request without a header; is the sender set to send one?
`,
  )
})

test('a malformed header is shown up to its fault, and a long rest is not', async () => {
  const { code, out } = await run([hexOf(`PROXY TCP4 192.0.2.256 ${'x'.repeat(100)}`)])
  assert.equal(code, 3)
  assert.match(out, /^a malformed header: v1_address at byte 21\n/)
  assert.match(out, /^0010 .*\n {21}\^\^\n0018/m)
  assert.match(out, /^ {6}\.\.\. 59 bytes more\n\nwanted {2}an address must be four decimal octets/m)
})

test('half a header says how much is missing, and nothing at all is half a header', async () => {
  const one = await run([hexOf(line.slice(0, -1))])
  assert.match(one.out, /^the start of a header: it is not complete after 44 bytes\n/)
  assert.match(one.out, /\nwanted {2}at least 1 more byte must follow\n$/)
  const none = await run([])
  assert.equal(none.code, 3)
  assert.match(
    none.out,
    /^the start of a header: it is not complete after 0 bytes\n\nwanted {2}at least \d+ more bytes must follow\n$/,
  )
})

test('--json says the same as data, in printable ASCII', async () => {
  const bytes = encodeHeader({ command: 'LOCAL', tlvs: [tlv.authority('ä')] })
  const { out } = await run(['--json', Buffer.concat([bytes, Buffer.from('x')]).toString('hex')])
  assert.match(out, /^[ -~]+\n$/)
  const { status, byteLength, header, fields, payload } = JSON.parse(out) as {
    status: string
    byteLength: number
    header: { tlvs: unknown }
    fields: { name: string; value: string }[]
    payload: string
  }
  assert.deepEqual([status, byteLength, payload], ['header', bytes.length, '78'])
  assert.deepEqual(header.tlvs, [{ type: 2, value: 'c3a4' }])
  assert.deepEqual(fields.at(-1)?.value, 'ä')
  const faults: unknown[] = []
  for (const text of ['PROXY TCP5', 'PROXY', 'GET /']) {
    faults.push(JSON.parse((await run(['--json', hexOf(text)])).out))
  }
  const [invalid, partial, absent] = faults as {
    status: string
    code?: string
    offset: number
    got?: string
  }[]
  assert.deepEqual([invalid?.status, invalid?.code, invalid?.offset], ['invalid', 'v1_protocol', 9])
  assert.deepEqual([partial?.status, partial?.offset, partial?.got], ['partial', 5, undefined])
  assert.deepEqual([absent?.status, absent?.code, absent?.offset], ['absent', undefined, 0])
  assert.match(absent?.got ?? '', /HTTP/)
})

test('colours are for terminals: with them the text is the same', async () => {
  for (const input of [hexOf(line), hexOf('GET /')]) {
    const plain = await run([input])
    const painted = await run([input], { colours: true })
    assert.ok(painted.out.includes('\u001b['))
    assert.equal(painted.out.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, ''), plain.out)
  }
  assert.ok(wantsColours({ isTTY: true }, {}))
  assert.ok(!wantsColours({ isTTY: true }, { NO_COLOR: '1' }))
  assert.ok(!wantsColours({}, {}))
})

test('hexadecimal is read as tools print it, and base64 without being told', async () => {
  const bytes = Buffer.from(line)
  const pairs = bytes.toString('hex').match(/../g) ?? []
  const inputs = [
    pairs.join(' '),
    pairs.join(':').toUpperCase(),
    pairs.map(pair => `0x${pair}`).join(', '),
    pairs.map(pair => `\\x${pair}`).join(''),
    bytes.toString('base64'),
    bytes.toString('base64url'),
  ]
  for (const input of inputs) assert.equal((await run([input])).code, 0, input)
})

test('a file and standard input are bytes as they are, or hexadecimal text', async t => {
  const path = join(folder(t), 'header')
  for (const content of [line, `${hexOf(line)}\n`]) {
    writeFileSync(path, content)
    assert.equal((await run(['--file', path])).code, 0)
    const io = { stdin: () => Promise.resolve(Buffer.from(content)) }
    assert.equal((await run([], io)).code, 0)
    assert.equal((await run(['-'], io)).code, 0)
  }
  writeFileSync(path, Buffer.from(line).toString('base64'))
  assert.equal((await run(['--file', path, '--as', 'base64'])).code, 0)
  writeFileSync(path, hexOf(line))
  assert.equal((await run(['--file', path, '--as', 'raw'])).code, 3)
})

test('--listen explains what one connection starts with, in however many pieces', async () => {
  for (const parts of [[line], [...line], ['GET /']]) {
    const port = await closedPort()
    const io = fakeIo()
    const listening = new Promise<void>(resolve => {
      io.error = text => {
        ;(io.errors as string[]).push(text)
        if (text.startsWith('listening')) resolve()
      }
    })
    const ended = runInspect(['--listen', `127.0.0.1:${port}`], {
      ...inspectIo,
      ...io,
      out: text => (io.written as string[]).push(text),
    })
    await listening
    const client = connect(port, '127.0.0.1').on('error', () => {})
    client.setNoDelay(true)
    for (const part of parts) client.write(part)
    assert.equal(await ended, parts[0] === 'GET /' ? 3 : 0)
    client.destroy()
    assert.match(io.errors.join(''), /^listening at 127\.0\.0\.1:\d+\nconnection from 127\.0\.0\.1:\d+\n$/)
  }
})

test('--listen explains what had come when a client goes, or has taken too long', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const end of ['end', 'reset', 'wait'] as const) {
    const port = await closedPort()
    const fake = fakeIo()
    let onConnection: (() => void) | undefined
    const connected = new Promise<void>(resolve => (onConnection = resolve))
    const client = await new Promise<ReturnType<typeof connect>>(resolve => {
      const error = (text: string): void => {
        if (text.startsWith('listening')) resolve(connect(port, '127.0.0.1').on('error', () => {}))
        else onConnection?.()
      }
      void runInspect(['--listen', `127.0.0.1:${port}`], { ...inspectIo, ...fake, error }).then(code =>
        fake.exit(code),
      )
    })
    await once(client, 'connect')
    await connected
    if (end === 'end') client.end('PROXY')
    else if (end === 'reset') client.resetAndDestroy()
    else t.mock.timers.tick(10_000)
    await fake.line(/^the start of a header/)
    client.destroy()
  }
})

test('build makes the header that its flags say', async () => {
  const ends = ['--source', '192.0.2.1:56324', '--destination', '198.51.100.7:443']
  assert.equal((await run(['build', '--v1', ...ends])).out, `${hexOf(line)}\n`)
  const tlvFlags = [
    '--alpn',
    'h2',
    '--authority',
    'a.example',
    '--unique-id',
    'x',
    '--netns',
    'red',
    '--tlv',
    '0xe5=0102',
  ]
  const made = await run([
    'build',
    ...ends,
    ...tlvFlags,
    '--tlv',
    '229=',
    '--checksum',
    '--dgram',
    '--out',
    'raw',
  ])
  const header = parseHeader(made.bytes)
  assert.ok(header.family === 'INET' && header.transport === 'DGRAM')
  const { alpn, authority, netns, checksum } = readTlvs(header)
  assert.deepEqual([alpn, authority, netns, typeof checksum], ['h2', 'a.example', 'red', 'number'])
  assert.deepEqual(
    header.tlvs.filter(({ type }) => type === 0xe5).map(({ value }) => [...value]),
    [[1, 2], []],
  )
  const unix = await run(['build', '--source', 'unix:/a', '--destination', 'unix:/b', '--out', 'base64'])
  const paths = parseHeader(Buffer.from(unix.out, 'base64'))
  assert.ok(paths.family === 'UNIX')
  assert.deepEqual([paths.source, paths.destination], [{ path: '/a' }, { path: '/b' }])
})

test('build without ends makes LOCAL, or UNKNOWN in version 1', async () => {
  assert.equal(parseHeader(Buffer.from((await run(['build'])).out, 'hex')).command, 'LOCAL')
  assert.equal(parseHeader(Buffer.from((await run(['build', '--local'])).out, 'hex')).command, 'LOCAL')
  assert.equal((await run(['build', '--v1'])).out, `${hexOf('PROXY UNKNOWN\r\n')}\n`)
})

test('wrong arguments are refused with what would be right', async t => {
  const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [
      ['--as', 'hex', 'xyz'],
      /the input must be hexadecimal, in pairs of digits, got "xyz"; a file is read with/,
    ],
    [['--as', 'base64', '!'], /the input must be base64, got "!"/],
    [['--as', 'text', '00'], /--as must be one of auto, hex, base64, raw, got "text"/],
    [['docter', '127.0.0.1:1'], /^error: there is no command "docter"; did you mean "doctor"\?\n$/],
    [['docter'], /did you mean "doctor"\?/],
    [['bild', '--v1'], /unknown option '--v1'\n\(Did you mean build\?\)/],
    [['0d', '0a'], /^error: the arguments must be one INPUT, in quotes if it has blanks, got "0d" "0a"\n$/],
    [['-f', 'header'], /unknown option '-f'\n\(Did you mean --file\?\)/],
    [['--file', 'a', '00'], /exclude each other/],
    [['--listen', 'nowhere'], /listen address "nowhere"/],
    [['--listen', 'unix:/run/app.sock'], /a header is taken from a TCP port, in clear/],
    [['build', '--out', 'text'], /--out must be one of hex, base64, raw, got "text"/],
    [['build', '--source', '192.0.2.1:1'], /--source and --destination belong together/],
    [['build', '--local', '--source', '192.0.2.1:1'], /--local announces no client/],
    ...['a:1', '192.0.2.1:65536', '[192.0.2.1]:1', '2001:db8::1:', ':1', '192.0.2.1:1?pp=v1'].map(
      text =>
        [
          ['build', '--source', text, '--destination', '[::1]:1'],
          /--source must be an IP address and its/,
        ] as const,
    ),
    [
      ['build', '--source', '192.0.2.1'],
      /^error: --source must be .*, got "192\.0\.2\.1"; did you mean "192\.0\.2\.1:56324"\?\n$/,
    ],
    [
      ['build', '--destination', '2001:db8::1'],
      /^error: --destination must be .*; did you mean "\[2001:db8::1\]:56324"\?\n$/,
    ],
    [['build', '--source', '192.0.2.1:1', '--destination', 'unix:/a'], /no such header: /],
    [['build', '--v1', '--alpn', 'h2'], /no such header: /],
    [['build', '--unique-id', 'x'.repeat(129)], /no such header: /],
    ...['256=', '0x5', '0xe5=1', 'alpn=h2', '0xe5=zz'].map(
      text => [['build', '--tlv', text], /--tlv must be TYPE=HEX such as 0xe5=0102 or 229=, got /] as const,
    ),
  ]
  for (const [args, message] of wrong) {
    const { code, errors } = await run(args)
    assert.equal(code, 2, args.join(' '))
    assert.match(errors, message)
  }
  const { code, errors } = await run(['--file', join(folder(t), 'none')])
  assert.equal(code, 1)
  assert.match(errors, /ENOENT/)
})

test('a wrong checksum is shown with the one that would be right, as text and as data', async () => {
  const right = Buffer.from(encodeHeader({ command: 'LOCAL' }, { checksum: true }))
  const wrong = Buffer.concat([right.subarray(0, -4), Buffer.alloc(4)]).toString('hex')
  const value = `0x${right.subarray(-4).toString('hex')}`
  assert.match(
    (await run([wrong])).out,
    new RegExp(`\\nwanted  the CRC-32C checksum must be ${value}, got 0x00000000\\n`),
  )
  const { code, checksum } = JSON.parse((await run(['--json', wrong])).out) as Record<string, unknown>
  assert.deepEqual([code, checksum], ['checksum_mismatch', value])
})

test('a malformed header gets no hint that it looks like one', async () => {
  assert.doesNotMatch((await run([hexOf('PROXY TCP5')])).out, /^got/m)
})

test('--page says where a page shows it, or one to paste into', async () => {
  const given = await run(['--page', hexOf(line)])
  assert.match(given.out, new RegExp(`^file:///.*/dist/web/inspector\\.html#${hexOf(line)}\n$`))
  assert.equal((await run(['--page', '00'])).code, 3)
  const empty = await run(['--page'])
  assert.deepEqual([empty.code, /^file:.*\.html\n$/.test(empty.out)], [0, true])
  const both = await run(['--page', '--json', '00'])
  assert.deepEqual([both.code, both.errors], [2, 'error: --page and --json exclude each other\n'])
})

test('text that is nothing else is looked at as it is, as on the page', async () => {
  const text = await run(['GET / HTTP/1.1'])
  assert.deepEqual([text.code, text.errors], [3, ''])
  assert.match(text.out, /\ngot {5}this looks like an HTTP request/)
  assert.equal(text.out, (await run(['--as', 'raw', 'GET / HTTP/1.1'])).out)
})

test('alone on a terminal it says what to do, and not where bytes are given', async () => {
  const isTerminal = true
  for (const args of [[], ['-']]) {
    assert.equal((await run(args, { isTerminal })).errors, 'Paste the bytes, then press Ctrl-D.\n')
    assert.equal((await run(args)).errors, '')
  }
  assert.equal((await run(['00'], { isTerminal })).errors, '')
})

test('a dump is read where hexadecimal is, and digits that are no pairs are told', async () => {
  const dump = '00000000: 5052 4f58 5920 554e 4b4e 4f57 4e0d 0a    PROXY UNKNOWN..\n'
  const stdin = (): Promise<Uint8Array> => Promise.resolve(Buffer.from(dump))
  assert.equal((await run([], { stdin })).code, 0)
  for (const format of ['auto', 'hex']) assert.equal((await run(['--as', format, dump])).code, 0)
  assert.equal((await run([line])).code, 0)
  const note = 'read as hexadecimal, but for a last digit that has no other\n'
  const odd = await run(['0d0a0'])
  assert.deepEqual([odd.code, odd.errors], [3, note])
  assert.match(odd.out, /^the start of a header: it is not complete after 2 bytes\n/)
  const piped = await run([], { stdin: () => Promise.resolve(Buffer.from('0d 0a 0\n')) })
  assert.deepEqual([piped.out, piped.errors], [odd.out, note])
})

test('the certificate in the extension of the Python library is shown as its JSON, as text and as data', async () => {
  const certificate = extensionTlv({ peercert: { version: 3 } })
  const bytes = encodeHeader({
    command: 'LOCAL',
    tlvs: [certificate, extensionTlv({ peercert: { version: 4 } })],
  })
  const { out } = await run([Buffer.from(bytes).toString('hex')])
  assert.match(out, /peercert +2\.2\.4 +\{"version":3\}/)
  assert.doesNotMatch(out, /"version":4/) // the first one counts
  const { out: json } = await run(['--json', Buffer.from(bytes).toString('hex')])
  assert.match(json, /"value":"\{\\"version\\":3\}"/)
})
