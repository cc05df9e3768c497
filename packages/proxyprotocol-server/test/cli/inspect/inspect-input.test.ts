// What proxyprotocol-inspect reads: arguments, files, standard input and connections.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { closedPort } from 'test-support/sockets'
import { temporaryFolder } from 'test-support/folder'
import { inspectIo, runInspect } from '../../../src/cli/inspect/inspect.ts'
import { fakeIo } from '../../support/program.ts'
import { run } from '../../support/inspect.ts'

const line = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex')
}

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
  const path = join(temporaryFolder(t), 'header')
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

test('wrong arguments are refused with what would be right', async t => {
  const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [
      ['--as', 'hex', 'xyz'],
      /the input must be hexadecimal, in pairs of digits, got "xyz"; a file is read with/,
    ],
    [['--as', 'base64', '!'], /the input must be base64, got "!"/],
    [['--as', 'text', '00'], /--as must be one of auto, hex, base64, raw, got "text"/],
    [['docter', '127.0.0.1:1'], /^error: unknown command "docter"; did you mean "doctor"\?\n$/],
    [['docter'], /did you mean "doctor"\?/],
    [['bild', '--v1'], /unknown option '--v1'\n\(Did you mean build\?\)/],
    [['0d', '0a'], /^error: the arguments must be one INPUT, in quotes if it has blanks, got "0d" "0a"\n$/],
    [['-f', 'header'], /unknown option '-f'\n\(Did you mean --file\?\)/],
    [['--file', 'a', '00'], /exclude each other/],
    [['--listen', 'nowhere'], /listen address "nowhere"/],
    [['--listen', 'unix:/run/app.sock'], /a header is taken from a port, in clear/],
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
  const { code, errors } = await run(['--file', join(temporaryFolder(t), 'none')])
  assert.equal(code, 1)
  assert.match(errors, /ENOENT/)
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
