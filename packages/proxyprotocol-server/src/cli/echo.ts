// proxyprotocol-echo: accepts a header, shows what it says, and sends back whatever follows.

import { pipeline } from 'node:stream/promises'
import { createServer, type Connection } from 'proxyprotocol/server'
import { parseAddress, type Address } from '../config/index.ts'
import { listenAt, serverTls } from '../relay/index.ts'
import { describeConnection } from './describe.ts'
import { showAddress } from './log.ts'
import {
  createCommand,
  log,
  logFailure,
  logFormatOption,
  processIo,
  runProgram,
  serveUntilSignal,
  useLogFormat,
  type ProgramIo,
} from './program.ts'
import { logRejections } from './rejections.ts'

const DEFAULT_PORT = 10007

/** Runs the program until a signal ends it; resolves with its exit code. */
export function runEcho(args: readonly string[], io: ProgramIo = processIo): Promise<number> {
  return runProgram(io, async () => {
    const command = createCommand('proxyprotocol-echo', io)
      .description('Shows the PROXY protocol header of each connection and echoes what follows it.')
      .argument(
        '[HOST:PORT]',
        'where to listen; ?pp=v1, v2, detect or noop says which header to expect',
        ':10007',
      )
      .addOption(logFormatOption())
      .parse(args, { from: 'user' })
    useLogFormat(io, command)
    const [text = ''] = command.processedArgs as string[]
    await serve(parseAddress(text, { role: 'listen', defaultPort: DEFAULT_PORT }), io)
  })
}

async function serve(address: Address, io: ProgramIo): Promise<void> {
  const { pp = 'detect', tls } = address
  // Echo answers whoever asks: it gives nothing away, and an address it shows proves nothing.
  const expectation =
    pp === 'noop' ? ({ version: 'none' } as const) : ({ version: pp, trust: 'anyone' } as const)
  const server = createServer(
    {
      ...expectation,
      tls: tls && serverTls(tls),
      onError: (error, connection) => {
        logFailure(io, error, connection)
      },
    },
    connection => echo(connection, io),
  )
  const stopLogging = logRejections(io, new Set([server]))
  try {
    await serveUntilSignal(io, [server], async () => {
      log(io, 'listening', [
        ['address', showAddress(await listenAt(server, address))],
        ['expects', pp],
        ['trust', 'anyone'],
      ])
    })
  } finally {
    stopLogging()
  }
}

async function echo({ id, info, socket, signal }: Connection, io: ProgramIo): Promise<void> {
  log(io, 'connection', [['id', id], ...describeConnection(info)])
  await pipeline(socket, socket, { signal })
}
