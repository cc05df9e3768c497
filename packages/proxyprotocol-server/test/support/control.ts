// A program with a control socket, and `ctl` beside it.

import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { temporaryFolder } from 'test-support/folder'
import { runServer } from '../../src/cli/index.ts'
import { configFile } from './config-file.ts'
import { fakeIo } from './program.ts'
import { echo, startUpstream, type Upstream } from './upstream.ts'

export interface Told {
  readonly code: number
  readonly out: string
  readonly errors: string
}

export async function ctl(path: string, ...args: readonly string[]): Promise<Told> {
  const io = fakeIo({ PROXYPROTOCOL_CONTROL: path })
  const code = await runServer(['ctl', ...args], io)
  return { code, out: io.written.join(''), errors: io.errors.join('') }
}

/** The result of a command that is done. */
export async function done<T = Readonly<Record<string, unknown>>[]>(
  path: string,
  ...args: readonly string[]
): Promise<T> {
  const { code, out, errors } = await ctl(path, '--json', ...args)
  if (code !== 0) throw new Error(errors)
  return JSON.parse(out) as T // the caller knows the command
}

/** What the socket answers to these bytes. */
export function say(path: string, bytes: string): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true })
  socket.on('error', () => undefined).end(bytes)
  return text(socket).catch(() => '')
}

export interface Controlled {
  readonly path: string
  readonly file: string
  readonly a: Upstream
  readonly b: Upstream
  /** The service `web` with the upstreams `a`, of weight 3, and `b`. */
  readonly configuration: (rest?: object) => object
}

export async function controlled(t: TestContext): Promise<Controlled> {
  const [a, b] = [await startUpstream(t, echo), await startUpstream(t, echo)]
  const path = join(temporaryFolder(t), 'control.sock')
  const configuration = (rest: object = {}): object => ({
    services: [
      {
        name: 'web',
        listen: '127.0.0.1:0',
        upstreams: [
          { address: `127.0.0.1:${a.port}?pp=noop`, name: 'a', weight: 3 },
          { address: `127.0.0.1:${b.port}?pp=noop`, name: 'b' },
        ],
      },
    ],
    control: { socket: path },
    ...rest,
  })
  return { path, a, b, configuration, file: configFile(t, configuration()) }
}
