// Starts a server in a process of its own, and asks it how it is.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { assertBalanced } from './relay.ts'
import type { RelayProcessSettings } from './relay-process.ts'
import type { Collected, Health, LastWords } from './server-process.ts'
import { atEnd } from './teardown.ts'

export interface RemoteServer {
  readonly port: number
  readonly pid: number
  health(): Promise<Health>
  /** The same after a collection there. */
  collected(): Promise<Collected>
  /** Asks until it has got there. */
  reached(goal: (health: Health) => boolean): Promise<Health>
  /** Ends it as SIGTERM does, which must be with 0. */
  stop(): Promise<LastWords>
}

/** Starts a relay, where `openFiles` says so under that `ulimit`. */
export function startRemoteRelay(
  t: TestContext,
  settings: RelayProcessSettings,
  openFiles?: number,
): Promise<RemoteServer> {
  const relay = [...script('relay-process'), JSON.stringify(settings)]
  if (openFiles === undefined) return startRemoteServer(t, relay)
  return startRemoteServer(t, ['sh', '-c', `ulimit -n ${openFiles}; exec "$@"`, 'sh', ...relay])
}

/** Starts a server whose handlers do what a client asks of them. */
export function startRemoteHandlers(t: TestContext): Promise<RemoteServer> {
  return startRemoteServer(t, script('handlers-process'))
}

function script(name: string): readonly string[] {
  const path = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  return [process.execPath, '--expose-gc', '--import', 'tsx', path]
}

/** At the test's end it is stopped, and must have warned of nothing, and let go of everything. */
async function startRemoteServer(
  t: TestContext,
  [program = '', ...args]: readonly string[],
): Promise<RemoteServer> {
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
  const errors = text(child.stderr as NonNullable<typeof child.stderr>) // it is a pipe
  const inbox: unknown[] = []
  const news = new EventEmitter()
  child.on('message', message => {
    inbox.push(message)
    news.emit('news')
  })
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  void closed.then(() => news.emit('news'))
  let last: Promise<unknown> = Promise.resolve()
  let stopped: Promise<LastWords> | undefined

  async function next(): Promise<unknown> {
    while (inbox.length === 0) {
      if (child.exitCode !== null || child.signalCode !== null) {
        assert.fail(`the process has ended: ${await errors}`)
      }
      await once(news, 'news')
    }
    return inbox.shift()
  }
  /** Questions are answered in turn. */
  function ask<T>(question: () => void): Promise<T> {
    const answer = last.then(() => {
      question()
      return next()
    })
    last = answer
    return answer as Promise<T> // the process is our own
  }
  async function end(): Promise<LastWords> {
    const words = await ask<LastWords>(() => child.kill('SIGTERM'))
    assert.deepEqual([...(await closed), await errors], [0, null, ''])
    return words
  }
  const remote: Omit<RemoteServer, 'port'> = {
    pid: child.pid ?? assert.fail('there is no process'),
    health: () => ask(() => child.send('look')),
    collected: () => ask(() => child.send('collect')),
    reached: async goal => {
      for (;;) {
        const health = await remote.health()
        if (goal(health)) return health
      }
    },
    stop: () => (stopped ??= end()),
  }
  atEnd(t, async () => {
    try {
      const { stats, faults, closed: ended } = await remote.stop()
      assertBalanced(stats)
      assert.deepEqual([faults, ended.stuck], [[], 0])
    } finally {
      if (child.exitCode === null) child.kill('SIGKILL')
      await closed
    }
  })
  const { port } = await ask<{ port: number }>(() => {})
  return { ...remote, port }
}
