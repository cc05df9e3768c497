// The header that `proxyprotocol-inspect build` makes of its flags.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHeader, readTlvs } from 'proxyprotocol'
import { run } from '../../support/inspect.ts'

const line = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex')
}

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
