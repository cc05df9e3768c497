// What all programs share: arguments, output, signals and exit codes.

import { EventEmitter, once } from 'node:events'
import { createRequire } from 'node:module'
import type { Writable } from 'node:stream'
import { inspect } from 'node:util'
import { Command, CommanderError, Option } from 'commander'
import type { CloseResult, Connection } from 'proxyprotocol/server'
import { ConfigError, type LogFormat } from '../config/index.ts'
import { Log, type LogFields, logFormats, showEndpoint, writerTo } from '../log/index.ts'
import { withHint } from './argument-hints.ts'

const EXIT_USAGE = 2
const EXIT_FAILURE = 1

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

type Signal = (typeof SIGNALS)[number] | 'SIGHUP'

export interface ProgramIo {
  readonly log: Log
  readonly env: Readonly<Record<string, string | undefined>>
  out(text: string): void
  error(text: string): void
  on(signal: Signal | 'SIGHUP', listener: () => void): unknown
  off(signal: Signal | 'SIGHUP', listener: () => void): unknown
  exit(code: number): void
}

export class PlainError extends Error {}

export interface Drainable {
  readonly connections: { readonly size: number | Promise<number> }
  close(): Promise<CloseResult>
}

for (const stream of [process.stdout, process.stderr]) outliveReader(stream)

export const processIo: ProgramIo = {
  log: new Log(writerTo(process.stdout)),
  env: process.env,
  out: text => void process.stdout.write(text),
  error: text => void process.stderr.write(text),
  on: (signal, listener) => process.on(signal, listener),
  off: (signal, listener) => process.off(signal, listener),
  exit: code => process.exit(code),
}

/** A log reader that is gone (`| head`) ends the log, not the connections. */
export function outliveReader(stream: Writable): void {
  stream.on('error', () => undefined)
}

export function createCommand(name: string, io: ProgramIo): Command {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string } // our own file
  const command = new Command(name)
  return command
    .version(version)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => {
        write(withHint(text, command))
      },
      writeOut: text => {
        io.out(text)
      },
      writeErr: text => {
        io.error(text)
      },
    })
}

export async function runProgram(io: ProgramIo, job: () => Promise<void>): Promise<number> {
  try {
    await job()
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
    io.error(fatal(io.log, error))
    return error instanceof ConfigError ? EXIT_USAGE : EXIT_FAILURE
  }
}

function fatal(log: Log, error: unknown): string {
  const message = isForUser(error) ? error.message : inspect(error)
  if (log.format === 'json') return log.line('failed', [['error', message]], 'fatal')
  return isForUser(error) ? message.replace(/^/gm, 'error: ') + '\n' : `error: ${message}\n`
}

export function logFormatOption(): Option {
  return new Option('--log-format <FORMAT>', 'how log lines look').choices(logFormats).default('text')
}

export function useLogFormat({ log }: ProgramIo, command: Command): void {
  log.format = command.opts<{ logFormat: LogFormat }>().logFormat
}

export function log(io: ProgramIo, event: string, fields: LogFields): void {
  io.log.write(event, fields)
}

export function logFailure(io: ProgramIo, error: unknown, connection: Connection | undefined): void {
  const fields: LogFields = [
    ['id', connection?.id],
    ['peer', connection && showEndpoint(connection.info.via.peer)],
    ['error', inspect(error)],
  ]
  io.log.write('failed', fields, 'error')
}

/** A second signal exits at once. So does a stuck handler, because its sockets would keep the process alive. */
export async function serveUntilSignal(
  io: ProgramIo,
  servers: readonly Drainable[],
  listen: () => Promise<void>,
): Promise<void> {
  const signals = new EventEmitter()
  const onSignal = (): void => {
    if (!signals.emit('signal')) io.exit(EXIT_FAILURE)
  }
  const signalled = once(signals, 'signal')
  // A supervisor may send a signal right after the line `listening`.
  for (const signal of SIGNALS) io.on(signal, onSignal)
  try {
    await listen()
    await signalled
    await drain(io, servers)
  } finally {
    for (const signal of SIGNALS) io.off(signal, onSignal)
  }
}

async function drain(io: ProgramIo, servers: readonly Drainable[]): Promise<void> {
  const sizes = await Promise.all(servers.map(async server => server.connections.size))
  log(io, 'draining', [['connections', sizes.reduce((sum, size) => sum + size, 0)]])
  const results = await Promise.all(servers.map(server => server.close()))
  const forced = results.reduce((sum, result) => sum + result.forced, 0)
  const stuck = results.reduce((sum, result) => sum + result.stuck.length, 0)
  log(io, 'stopped', [
    ['forced', forced],
    ['stuck', stuck],
  ])
  if (stuck > 0) io.exit(EXIT_FAILURE)
}

export function explain(error: unknown): string {
  return isForUser(error) ? error.message : inspect(error)
}

function isForUser(error: unknown): error is Error {
  return (
    error instanceof ConfigError ||
    error instanceof PlainError ||
    (error instanceof Error && 'syscall' in error)
  )
}
