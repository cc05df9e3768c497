import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Running } from '../../../src/cli/control/running.ts'
import { parseConfig } from '../../../src/config/index.ts'
import { untyped } from 'test-support/untyped'
import { fakeIo } from '../../support/program.ts'

const first = parseConfig({ services: [{ listen: '127.0.0.1:1', upstream: '127.0.0.1:2' }] })

for (const isEnding of [false, true]) {
  test(`a reload that fails while the program ${isEnding ? 'ends is not' : 'runs is'} logged`, async () => {
    const io = fakeIo()
    const serving = { isEnding: false }
    const running = new Running(io, untyped(serving), {
      first: { configuration: first, sources: [] },
      reread: () => {
        serving.isEnding = isEnding
        return Promise.reject(new Error('no such file'))
      },
    })
    await assert.rejects(running.reload(), /no such file/)
    assert.equal(
      io.written.some(line => line.includes('reload-failed')),
      !isEnding,
    )
  })
}
