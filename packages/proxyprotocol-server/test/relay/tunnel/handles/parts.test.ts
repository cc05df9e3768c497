// What a relay on loopback seldom shows of its handles.

import assert from 'node:assert/strict'
import { Server } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Flow, type FlowOwner } from '../../../../src/relay/tunnel/handles/flow.ts'
import {
  nodeTcp,
  ownerOf,
  symbolOf,
  type TcpHandle,
  type WriteRequest,
} from '../../../../src/relay/tunnel/handles/node-tcp.ts'
import { testHandles, tryHandles } from '../../../../src/relay/tunnel/handles/self-test.ts'
import { DONE, PENDING, write, writeNew } from '../../../../src/relay/tunnel/handles/write.ts'

const BYTES = Buffer.from('hello')
const EPIPE = -32

interface FakeRequest extends WriteRequest {
  oncomplete: ((this: never, status: number) => void) | undefined
}

function handleThat(answers: number | Partial<FakeRequest>): TcpHandle {
  return { writeBuffer: () => answers } as unknown as TcpHandle // the rest is not called
}

test('this runtime passes the test of its handles', async () => {
  assert.equal(await testHandles(), true)
  assert.equal(await testHandles(), true)
})

test('handles are not used where buffers cannot be shared, or the test fails or hangs', async t => {
  assert.equal(await tryHandles('win32'), false)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const listening = t.mock.method(Server.prototype, 'listen', function (this: Server) {
    return this
  })
  const hanging = tryHandles()
  t.mock.timers.tick(3_000)
  assert.equal(await hanging, false)
  listening.mock.restore()
})

test('a handle without an owner, and a socket without a symbol, are told', () => {
  assert.throws(() => ownerOf({}), /no owner/)
  assert.equal(symbolOf('unheard of').description, 'unheard of')
})

test('a write that makes its own request is done, fails, or completes later', () => {
  const statuses: number[] = []
  const writer = { onWritten: (status: number) => void statuses.push(status) }
  assert.equal(writeNew(handleThat(0), BYTES, writer), DONE)
  assert.equal(writeNew(handleThat(EPIPE), BYTES, writer), EPIPE)
  assert.equal(writeNew(handleThat({ writeStatus: 0 }), BYTES, writer), DONE)
  const request = { writeStatus: null } as FakeRequest
  assert.equal(writeNew(handleThat(request), BYTES, writer), PENDING)
  request.oncomplete?.call(request as never, EPIPE)
  request.oncomplete?.call(request as never, EPIPE)
  assert.deepEqual(statuses, [EPIPE], 'a request reports once')
})

test('a write that the kernel refuses is reported with its status', async () => {
  await testHandles()
  const writer = { onWritten: () => undefined }
  assert.equal(write(handleThat(EPIPE), BYTES, writer), EPIPE)
  const learnt = nodeTcp() as { WriteRequest: unknown }
  const { WriteRequest } = learnt
  learnt.WriteRequest = undefined
  assert.equal(write(handleThat(EPIPE), BYTES, writer), EPIPE)
  learnt.WriteRequest = WriteRequest
})

function flowOf(t: TestContext) {
  const onWriteError = t.mock.fn()
  const owner = {
    isOver: false,
    onBytes: () => undefined,
    onEnd: () => undefined,
    onFinished: () => undefined,
    onReadError: () => undefined,
    onWriteError,
    onAged: () => undefined,
  }
  return { owner, flow: new Flow(owner satisfies FlowOwner), onWriteError }
}

test('a write that fails later ends the connection, unless it is over', t => {
  const { owner, flow, onWriteError } = flowOf(t)
  flow.isPending = true
  flow.onWritten(EPIPE)
  assert.deepEqual(onWriteError.mock.calls[0]?.arguments, [flow, EPIPE])
  owner.isOver = true
  flow.onWritten(EPIPE)
  flow.destroy(new Error('late'))
  flow.push()
  assert.equal(onWriteError.mock.callCount(), 1)
  assert.equal(flow.destroyed, true)
})

test('a direction is resumed, paused and shut once', t => {
  const { flow } = flowOf(t)
  const calls: string[] = []
  const handle = {
    readStart: () => calls.push('readStart') * 0,
    readStop: () => calls.push('readStop') * 0,
    shutdown: () => calls.push('shutdown') * 0,
  }
  flow.from = flow.to = handle as unknown as TcpHandle // the rest is not called
  flow.pause()
  flow.resume()
  flow.resume()
  flow.pause()
  flow.shut()
  flow.shut()
  assert.deepEqual(calls, ['readStart', 'readStop', 'shutdown'])
})
