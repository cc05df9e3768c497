// A program's log and its reader: lines are lost only where the reader is gone or behind, and then they are counted.

import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Log, wholeLines, writeBounded } from '../../src/cli/program-log.ts'

test('lines that nobody takes are counted, and told of before the next line that goes through', () => {
  const written: string[] = []
  let taken = true
  const log = new Log(text => {
    if (taken) written.push(text.replace(/^\S+ /, ''))
    return taken
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
  const log = new Log(text => written.push(text) > 0)
  log.write('one', [['key', 'value']])
  log.format = 'json'
  log.write('two', [['key', 'value']], 'error')
  assert.match(written[0] ?? '', /^\S+Z one key=value\n$/)
  assert.match(written[1] ?? '', /^\{"level":"error","time":"\S+Z","key":"value","event":"two"\}\n$/)
})

test('a reader that is behind gets no more than the limit, and the rest once it has caught up', async () => {
  const stream = new PassThrough({ highWaterMark: 1 })
  const line = 'x'.repeat(100)
  const taken = Array.from({ length: 20 }, () => writeBounded(stream, line, 1_000))
  assert.ok(stream.writableLength <= 1_000)
  assert.deepEqual([taken[0], taken.at(-1)], [true, false])
  stream.resume()
  while (stream.writableLength > 0) await turn()
  assert.equal(writeBounded(stream, line, 1_000), true)
})

test('a reader that is gone takes nothing', () => {
  const stream = new PassThrough()
  stream.destroy()
  assert.equal(writeBounded(stream, 'line'), false)
})

test('wholeLines() writes one line at a time, also those that had to wait', async () => {
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
  const lines = wholeLines(stream)
  for (let i = 0; i < 5; i++) assert.ok(writeBounded(lines, `line ${i}\n`))
  while (lines.writableLength > 0) await turn()
  assert.deepEqual(written, ['line 0\n', 'line 1\n', 'line 2\n', 'line 3\n', 'line 4\n'])
  assert.deepEqual(batches, [])
})

test('wholeLines() takes nothing once its reader is gone', async () => {
  const stream = new PassThrough()
  const lines = wholeLines(stream)
  stream.on('error', () => undefined).destroy()
  writeBounded(lines, 'line')
  while (lines.writable) await turn()
  assert.equal(writeBounded(lines, 'line'), false)
})
