// A program's log and its reader: lines are lost only where the reader is gone or behind, and then they are counted.

import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { temporaryFolder } from 'test-support/folder'
import { fileWriter, Log, streamWriter, writerTo, type LogWriter } from '../../src/log/log.ts'
import { pathOf, runCommand } from '../support/child.ts'

test('lines that are not taken are counted, and reported before the next line that goes through', () => {
  const written: string[] = []
  let taken = true
  const log = new Log((text, onLost) => {
    if (taken) written.push(text.replace(/^\S+ /, ''))
    else onLost()
  })
  log.write('one', [])
  taken = false
  log.write('two', [])
  log.write('three', [])
  taken = true
  log.write('four', [])
  log.write('five', [])
  assert.deepEqual(written, ['one\n', 'lost lines=2\n', 'four\n', 'five\n'])
  assert.equal(log.lost, 2)
})

test('the format may change while the log runs', () => {
  const written: string[] = []
  const log = new Log(text => written.push(text))
  log.write('one', [['key', 'value']])
  log.format = 'json'
  log.write('two', [['key', 'value']], 'error')
  assert.match(written[0] ?? '', /^\S+Z one key=value\n$/)
  assert.match(written[1] ?? '', /^\{"level":"error","time":"\S+Z","key":"value","event":"two"\}\n$/)
})

/** Writes so many lines, and says how many were lost at once. */
function lostOf(write: LogWriter, count: number, line = 'line\n'): number {
  let lost = 0
  for (let i = 0; i < count; i++) write(line, () => lost++)
  return lost
}

test('a reader that is behind gets no more than the limit, and the rest once it has caught up', async () => {
  const stream = new PassThrough({ highWaterMark: 1 })
  const write = streamWriter(stream, 1_000)
  assert.equal(lostOf(write, 20, 'x'.repeat(100)), 10)
  let received = 0
  stream.on('data', (chunk: Buffer) => (received += chunk.length))
  while (received < 1_000) await turn()
  assert.equal(lostOf(write, 10, 'x'.repeat(100)), 0)
})

test('a reader that is gone takes nothing', () => {
  const stream = Object.assign(new Socket(), { fd: 1 })
  stream.destroy()
  assert.equal(lostOf(writerTo(stream), 3), 3)
})

test('lines that wait when their reader goes away are lost as well', async () => {
  let pending: ((error: Error) => void) | undefined
  const stream = new Writable({
    write: (_line, _encoding, callback) => (pending = callback),
    destroy: (error, callback) => {
      pending?.(error ?? new Error('closed')) // as a socket does
      callback(error)
    },
  })
  const write = streamWriter(stream)
  let lost = 0
  const all = new Promise<void>(resolve => {
    for (let i = 0; i < 3; i++) write('line\n', () => ++lost === 3 && resolve())
  })
  stream.on('error', () => undefined).destroy(new Error('write EPIPE'))
  await all
})

test('lines go to a stream one at a time, also those that had to wait', async () => {
  const written: string[] = []
  const batches: number[] = []
  const stream = new Writable({
    decodeStrings: false,
    write: (line: string, _, callback) => {
      written.push(line)
      setImmediate(callback)
    },
    writev: (lines, callback) => {
      batches.push(lines.length)
      callback()
    },
  })
  const write = streamWriter(stream)
  for (let i = 0; i < 5; i++) write(`line ${i}\n`, () => written.push('lost'))
  while (written.length < 5) await turn()
  assert.deepEqual(written, ['line 0\n', 'line 1\n', 'line 2\n', 'line 3\n', 'line 4\n'])
  assert.deepEqual(batches, [])
})

test('lines to a full disk are lost, and counted', () => {
  const fd = openSync('/dev/full', 'w')
  const log = new Log(writerTo(Object.assign(new PassThrough(), { fd }))) // no socket, as Node's stream for files
  for (let i = 0; i < 3; i++) log.write('one', [])
  closeSync(fd)
  log.write('to a file that is gone', [])
  assert.equal(log.lost, 4)
})

test('a line that follows one that was cut off starts on a line of its own', t => {
  const file = join(temporaryFolder(t), 'log')
  const fd = openSync(file, 'w')
  const write = fileWriter(fd)
  const lost: string[] = []
  for (const text of ['cut o', 'whole\n', 'next\n']) write(text, () => lost.push(text))
  closeSync(fd)
  assert.equal(readFileSync(file, 'utf8'), 'cut o\nwhole\nnext\n')
  assert.deepEqual(lost, [])
})

/** Writes 200 lines, makes room, and writes one more. */
const WRITER = `
import { truncateSync } from 'node:fs'
import { fileWriter, Log } from ${JSON.stringify(pathToFileURL(pathOf('packages/proxyprotocol-server/dist/log/log.js')))}
const log = new Log(fileWriter(1))
const write = number => log.write('line', [['number', number], ['filler', 'x'.repeat(40)]])
for (let number = 1; number <= 200; number++) write(number)
process.stderr.write(String(log.lost))
truncateSync(process.argv[1])
write(201)
write(202)`

test('200 lines to a disk that is full after 23 lines and a half: all others are counted and reported', async t => {
  const file = join(temporaryFolder(t), 'log')
  // The file takes 2,048 bytes. Coverage would be written to a file as well.
  const limited = 'unset NODE_V8_COVERAGE; ulimit -f 4; exec "$@" "$0" >>"$0"'
  const node = [process.execPath, '--input-type=module', '--eval', WRITER]
  const child = runCommand(t, ['sh', '-c', limited, file, ...node])
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '177' })
  const lines = readFileSync(file, 'latin1').split('\n')
  assert.deepEqual(
    lines.map(line => line.replace(/^\S+Z | filler=.*/g, '')),
    ['', 'lost lines=177', 'line number=201', 'line number=202', ''],
  )
})
