// A conversation of a check with an upstream of the test.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { checkDefaults, settleCheck, type CheckInit } from '../../src/config/health.ts'
import { parseAddress } from '../../src/config/index.ts'
import { converse } from '../../src/relay/upstreams/checks/index.ts'
import { listen } from './connections.ts'
import { atEnd } from './teardown.ts'

/** The upstream: what it does with the connection. */
export type Upstream = (socket: Socket) => void

export interface Outcome {
  /** What the upstream has received, as latin1. */
  readonly heard: () => string
  /** The message of the fault; undefined if the check has passed. */
  readonly fault: string | undefined
  readonly socket: Socket
}

/** Runs one check to its end. */
export async function conversation(t: TestContext, check: CheckInit, upstream: Upstream): Promise<Outcome> {
  const far = await listen(t)
  const address = parseAddress(`127.0.0.1:${far.port}`, { role: 'upstream' })
  const socket = connect(far.port, '127.0.0.1')
  atEnd(t, () => socket.destroy())
  await once(socket, 'connect')
  const accepted = await far.accept()
  let heard = ''
  accepted.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
  upstream(accepted)
  const settled = settleCheck({ timeout: checkDefaults.timeout, ...check }, address)
  const fault = await converse(socket, settled).then(
    () => undefined,
    (error: unknown) => (error as Error).message, // it throws errors only
  )
  return { heard: () => heard, fault, socket }
}

/** An upstream that answers what it hears, latin1 as well, and may speak first. */
export function answering(answers: Readonly<Record<string, string>>, greeting = ''): Upstream {
  return socket => {
    if (greeting !== '') socket.write(greeting, 'latin1')
    let heard = ''
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1')
      const answer = answers[heard]
      if (answer === undefined) return
      heard = ''
      socket.write(answer, 'latin1')
    })
  }
}
