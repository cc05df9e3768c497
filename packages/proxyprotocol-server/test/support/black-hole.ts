// An address that answers nothing: a process that has stopped, whose queue of connections is full, so that the kernel drops
// what comes for it. Linux does so; other systems may refuse.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { runCommand } from './child.ts'
import { atEnd } from './teardown.ts'

export interface BlackHole {
  readonly port: number
  /** Answers nothing from now on. */
  swallow(): Promise<void>
  /** Is an echo server from now on. */
  revive(): Promise<void>
}

const SCRIPT = `
  const server = require('node:net').createServer({ allowHalfOpen: true }, socket => socket.on('error', () => {}).pipe(socket))
  server.listen({ host: process.argv[1], port: Number(process.argv[2]), backlog: 1 }, () => {
    console.log('listens address=' + process.argv[1] + ':' + server.address().port)
  })
`
/** Milliseconds: on loopback a connection that takes longer is one without an answer. */
const SILENCE = 200

/** Starts an echo server in a process of its own, which can be made to answer nothing. */
export async function blackHole(t: TestContext, host = '127.0.0.1', at = 0): Promise<BlackHole> {
  const child = runCommand(t, [process.execPath, '-e', SCRIPT, host, String(at)])
  const port = Number(/:(\d+)$/.exec(await child.line(/^listens /))?.[1])
  const filling = new Set<Socket>()
  function empty(): void {
    for (const socket of filling) socket.destroy()
    filling.clear()
  }
  atEnd(t, empty)
  return {
    port,
    swallow: async () => {
      child.send('SIGSTOP')
      for (;;) {
        const socket = connect({ host, port }).on('error', () => {})
        filling.add(socket)
        const silent = new AbortController()
        const first = await Promise.race([
          once(socket, 'connect', silent).then(() => 'connected'),
          pause(SILENCE, 'silent', silent),
        ])
        silent.abort()
        if (first === 'silent') return
      }
    },
    revive: async () => {
      empty()
      child.send('SIGCONT')
      const socket = connect({ host, port }).on('error', () => {})
      filling.add(socket)
      socket.write('x')
      await once(socket, 'data')
      empty()
    },
  }
}
