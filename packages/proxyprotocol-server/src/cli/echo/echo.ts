// proxyprotocol-echo: logs the header of each connection and echoes what follows.

import { pipeline } from 'node:stream/promises'
import { createServer, type Connection } from 'proxyprotocol/server'
import { type Address, ConfigError, parseAddress, type UdpAddress } from '../../config/index.ts'
import { describeConnection, showAddress } from '../../log/index.ts'
import { listenAt, serverTls } from '../../relay/index.ts'
import { refuseExcess } from '../argument-hints.ts'
import { readPage } from '../inspector-page.ts'
import {
  createCommand,
  log,
  logFailure,
  logFormatOption,
  processIo,
  type ProgramIo,
  runProgram,
  serveUntilSignal,
  useLogFormat,
} from '../program.ts'
import { logRejection, watchRejections } from '../rejections.ts'
import { serveDatagrams } from './echo-datagrams.ts'
import { answerBrowser } from './echo-page.ts'

const DEFAULT_PORT = 10007
const MODES: readonly string[] = ['v1', 'v2', 'detect', 'noop']

export function runEcho(args: readonly string[], io: ProgramIo = processIo): Promise<number> {
  return runProgram(io, async () => {
    const command = createCommand('proxyprotocol-echo', io)
      .description('Shows the PROXY protocol header of each connection and echoes what follows it.')
      .argument(
        '[HOST:PORT]',
        'where to listen; ?pp=v1, v2, detect or noop says which header to expect; udp:// for datagrams',
        ':10007',
      )
      .option('--page', 'answer the GET of a browser with a page that explains the header before it')
      .addOption(logFormatOption())
      .allowExcessArguments() // refused below, with a hint
      .parse(args, { from: 'user' })
    useLogFormat(io, command)
    refuseModes(command.args)
    refuseExcess(command, 'one HOST:PORT')
    const [text = ''] = command.processedArgs as string[]
    const address = parseAddress(text, { role: 'listen', defaultPort: DEFAULT_PORT })
    const { page } = command.opts<{ page?: true }>()
    if (address.transport === 'udp') return serveDatagrams(address, io)
    await serve(address, io, page && (await readPage()))
  })
}

/** Other programs take `detect` as an argument of its own. */
function refuseModes(operands: readonly string[]): void {
  const mode = operands.find(each => MODES.includes(each))
  if (mode === undefined) return
  const at = operands.find(each => !MODES.includes(each)) ?? `:${DEFAULT_PORT}`
  throw new ConfigError(
    `HOST:PORT must be where to listen, got ${JSON.stringify(mode)}; did you mean "${at}?pp=${mode}"?`,
  )
}

async function serve(
  address: Exclude<Address, UdpAddress>,
  io: ProgramIo,
  page: string | undefined,
): Promise<void> {
  const { pp = 'detect', tls } = address
  // Echo makes no decision from the address.
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
    connection => {
      log(io, 'connection', [['id', connection.id], ...describeConnection(connection.info)])
      return echo(connection, page)
    },
  )
  const stopLogging = watchRejections((refusing, entry) => {
    if (refusing === server) logRejection(io, entry)
  })
  try {
    await serveUntilSignal(io, [server], async () => {
      log(io, 'listening', [
        ['address', showAddress(await listenAt(server, { listen: address }))],
        ['expects', pp],
        ['trust', 'anyone'],
      ])
    })
  } finally {
    stopLogging()
  }
}

async function echo(connection: Connection, page: string | undefined): Promise<void> {
  const { socket, signal } = connection
  if (page !== undefined) {
    const start = await answerBrowser(connection, page)
    if (start === undefined) return
    socket.write(start)
  }
  await pipeline(socket, socket, { signal })
}
