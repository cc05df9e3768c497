import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeader, tlv } from 'proxyprotocol'
import { inspect, reportText } from '../../src/cli/inspect/report.ts'
import { bytesFromText, dumpBytes, hexBytes } from '../../src/explain/index.ts'

const ends = {
  source: { address: '192.0.2.1', port: 56324 },
  destination: { address: '198.51.100.7', port: 443 },
}
const header = encodeHeader(ends)
const line = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'

function hexOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('hex')
}

const dumps: Readonly<Record<string, string>> = {
  xxd: `00000000: 0d0a 0d0a 000d 0a51 5549 540a 2111 000c  .......QUIT.!...
00000010: c000 0201 c633 6407 dc04 01bb            .....3d.....
`,
  'xxd -g1': `00000000: 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 21 11 00 0c  .......QUIT.!...
00000010: c0 00 02 01 c6 33 64 07 dc 04 01 bb              .....3d.....`,
  'hexdump -C': `00000000  0d 0a 0d 0a 00 0d 0a 51  55 49 54 0a 21 11 00 0c  |.......QUIT.!...|
00000010  c0 00 02 01 c6 33 64 07  dc 04 01 bb              |.....3d.....|
0000001c
`,
  'tcpdump -X': `\t0x0000:  0d0a 0d0a 000d 0a51 5549 540a 2111 000c  .......QUIT.!...
\t0x0010:  c000 0201 c633 6407 dc04 01bb            .....3d.....`,
  'od -A x -t x1': `000000 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 21 11 00 0c
000010 c0 00 02 01 c6 33 64 07 dc 04 01 bb
00001c`,
  Wireshark: `0000   0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 21 11 00 0c   .......QUIT.!...
0010   c0 00 02 01 c6 33 64 07 dc 04 01 bb               .....3d.....`,
  'the inspector itself': reportText(inspect(header), false),
}
for (const [tool, dump] of Object.entries(dumps)) {
  test(`a dump of ${tool} becomes the bytes in it`, () => {
    assert.equal(hexOf(dumpBytes(dump)), hexOf(header))
    assert.equal(bytesFromText(dump)?.format, 'a dump')
    assert.equal(hexOf(bytesFromText(dump.replaceAll('\n', '\r\n'))?.bytes), hexOf(header))
  })
}

test('what the inspector shows of any header and its payload can be pasted again', () => {
  const tlvs = [tlv.authority('abc de 12'), tlv.ssl({ version: 'TLSv1.3', cn: 'ad 0f 11' }), tlv.noop(40)]
  for (const bytes of [
    encodeHeader({ ...ends, tlvs }),
    Buffer.from(`${line}ab 12 34 56 78`),
    encodeHeader({ command: 'LOCAL' }),
  ]) {
    assert.equal(hexOf(dumpBytes(reportText(inspect(bytes), false))), hexOf(bytes))
  }
})

test('text beside the bytes that looks like more of them is told apart by the offsets, and by the longest line', () => {
  const dump = `0000  61 62 20 61 62 20 61 62  ab ab ab
0008  61 62 20 61 62 20 61 62  ab ab ab
`
  assert.equal(hexOf(dumpBytes(dump)), Buffer.from('ab ab abab ab ab').toString('hex'))
})

test('a star in a dump stands for lines like the one before', () => {
  const paths = encodeHeader({ source: { path: '/a' }, destination: { path: '/b' } })
  const rows = Array.from({ length: Math.ceil(paths.length / 16) }, (_, row) =>
    Buffer.from(paths.subarray(row * 16, row * 16 + 16)),
  )
  const lines: string[] = []
  for (const [index, row] of rows.entries()) {
    const text = `${(index * 16).toString(16).padStart(8, '0')}  ${row.toString('hex').replace(/../g, '$& ')} |`
    if (index > 0 && index < rows.length - 1 && rows[index - 1]?.equals(row)) {
      if (lines.at(-1) !== '*') lines.push('*')
    } else lines.push(text)
  }
  assert.ok(lines.includes('*'))
  assert.equal(hexOf(dumpBytes(lines.join('\n'))), hexOf(paths))
})

test('a dump with a gap, or one that starts in the middle, is none', () => {
  assert.equal(dumpBytes('0000: 0d0a\n0004: 0d0a'), undefined)
  assert.equal(dumpBytes('0010: 0d0a'), undefined)
  assert.equal(dumpBytes('00000000: 0d0a\n*\nfffffff0: 0d0a'), undefined)
  assert.equal(dumpBytes('0000'), undefined)
  assert.equal(dumpBytes('0000: no digits'), undefined)
  assert.equal(dumpBytes('*\n0000: 0d0a\n*\n0004: 0a')?.length, 5)
})

test('text with escapes is read as a shell and C read it, with or without its command', () => {
  for (const text of [
    `printf '\\r\\n\\r\\n\\0\\r\\nQUIT\\n\\x21\\x11\\0\\x0c\\300\\0\\02\\x1\\xc63d\\a\\xdc\\004\\01\\xbb' | nc 192.0.2.9 80`,
    `b"\\r\\n\\r\\n\\x00\\r\\nQUIT\\n\\x21\\x11\\x00\\x0c\\xc0\\x00\\x02\\x01\\xc63d\\x07\\xdc\\x04\\x01\\xbb"`,
    '\\r\\n\\r\\n\\0\\r\\nQUIT\\n!\\x11\\0\\f\\300\\0\\2\\1\\xc63d\\7\\xdc\\4\\1\\xbb',
  ]) {
    const read = bytesFromText(text)
    assert.deepEqual([read?.format, hexOf(read?.bytes)], ['text with escapes', hexOf(header)], text)
  }
  assert.equal(
    hexOf(bytesFromText('PROXY \\\\\\"é\\r\\n')?.bytes),
    Buffer.from('PROXY \\"é\r\n').toString('hex'),
  )
})

test('a version 1 line has its line end whatever became of it', () => {
  for (const text of [line, line.replace('\r', ''), line.trim(), `${line.trim()}  `]) {
    assert.equal(hexOf(bytesFromText(text)?.bytes), Buffer.from(line).toString('hex'), JSON.stringify(text))
  }
  assert.equal(
    hexOf(bytesFromText('PROXY UNKNOWN\nGET / HTTP/1.1\n\n')?.bytes),
    Buffer.from('PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n\r\n').toString('hex'),
  )
})

test('a last digit without another is left out, and reported', () => {
  assert.deepEqual(bytesFromText('0d 0a 0'), {
    bytes: Uint8Array.of(13, 10),
    format: 'hexadecimal',
    halfByte: true,
  })
})

test('base64 is read with either alphabet, and what cannot be base64 is nothing', () => {
  const bytes = Buffer.from([0xfb, 0xef, 0xff, 0xfe])
  for (const encoding of ['base64', 'base64url'] as const) {
    assert.deepEqual(bytesFromText(` ${bytes.toString(encoding)}\n`), {
      bytes: Uint8Array.from(bytes),
      format: 'base64',
      halfByte: false,
    })
  }
  for (const text of ['xyzzy', 'x!', 'GET / HTTP/1.1']) assert.equal(bytesFromText(text), undefined)
})

test('a text of any length is read', () => {
  const [count, pairs] = [400_000, 'a5'.repeat(400_000)]
  for (const text of [
    `0000 ${pairs}`,
    `0000 ${pairs.slice(0, count)}\n*\n${count.toString(16).padStart(8, '0')}`,
    `PROXY ${'z'.repeat(count - 7)}\\n`,
    `\\n${'z\\t'.repeat((count - 2) / 2)}z`,
  ]) {
    assert.equal(bytesFromText(text)?.bytes.length, count, text.slice(0, 20))
  }
  assert.equal(hexBytes(':'.repeat(24_000_000))?.length, 0)
})

test('hexadecimal is in pairs, whatever stands between them', () => {
  for (const text of ['0d0a', '0x0d,0x0A', '\\x0d\\x0a', '0d:0a', '0x0d0a', ' 0D\n0a ']) {
    assert.equal(hexOf(hexBytes(text)), '0d0a', text)
  }
  for (const text of ['0d 0', '0 d', '00x12', '0d0a;', '0x', 'x0d']) {
    assert.equal(hexBytes(text)?.length, text === '0x' ? 0 : undefined, text)
  }
})

test('an empty text has no bytes', () => {
  assert.deepEqual(bytesFromText(''), { bytes: new Uint8Array(), format: 'hexadecimal', halfByte: false })
  assert.equal(hexBytes('xyz'), undefined)
})
