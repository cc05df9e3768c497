// Servers of every kind, and what the doctor says about them.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { inspectIo, runInspect } from '../../src/cli/inspect/inspect.ts'
import { fakeIo } from './program.ts'
import { atEnd } from './teardown.ts'

interface Attempt {
  readonly name: string
  readonly verdict: string
  readonly because?: string
  readonly seen: string
}

interface Diagnosis {
  readonly code: number
  readonly works: boolean
  readonly accepted: readonly string[]
  readonly configuration: readonly {
    readonly program: string
    readonly text: string
    readonly sends: string
  }[]
  readonly of: (name: string) => Attempt
}

/** Listens, and closes with all its connections at the test's end. */
export async function listening(t: TestContext, server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => {}))
  })
  server.listen(0, host)
  await once(server, 'listening')
  atEnd(t, async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

export async function diagnose(at: number | string, ...flags: readonly string[]): Promise<Diagnosis> {
  const io = fakeIo()
  const code = await runInspect(
    ['doctor', typeof at === 'number' ? `127.0.0.1:${at}` : at, '--json', ...flags],
    { ...inspectIo, ...io },
  )
  assert.deepEqual(io.errors, [])
  const text = io.written.join('')
  assert.match(text, /^[ -~]+\n$/)
  const data = JSON.parse(text) as Omit<Diagnosis, 'of' | 'code'> & { readonly attempts: readonly Attempt[] }
  const of = (name: string): Attempt => {
    const found = data.attempts.find(each => each.name === name)
    assert.ok(found, name)
    return found
  }
  return { ...data, code, of }
}
