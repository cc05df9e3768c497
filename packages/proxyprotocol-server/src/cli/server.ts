// proxyprotocol-server: a TCP proxy that puts a header in front of each connection.

import { createRelay, type Relay, type RelayRecord } from '../relay/index.ts'
import { ConfigError, formatAddress, parseService, type Service } from '../config/index.ts'
import { showAddress, showEndpoint, type LogFields } from './log.ts'
import {
  createCommand,
  log,
  logFailure,
  processIo,
  runProgram,
  serveUntilSignal,
  type ProgramIo,
} from './program.ts'

const OPTION = '--service'

/** Runs the program until a signal ends it; resolves with its exit code. */
export function runServer(args: readonly string[], io: ProgramIo = processIo): Promise<number> {
  return runProgram(io, async () => {
    createCommand('proxyprotocol-server', io)
      .description('A TCP proxy that puts a PROXY protocol header in front of each connection.')
      .usage('--service SOURCE DEST [--service SOURCE DEST]...')
      .option(
        `${OPTION} <SOURCE DEST...>`,
        'listen at SOURCE and connect to DEST, which gets a version 2 header; DEST?pp=v1 version 1, ?pp=noop none',
      )
      .parse(args, { from: 'user' })
    await serve(servicesOf(args), io)
  })
}

/** Commander gathers the values of all times in one list; which belong together only the arguments say. */
function servicesOf(args: readonly string[]): readonly Service[] {
  const starts = args.flatMap((arg, at) => (arg === OPTION ? [at] : []))
  const pairs = starts.map((start, i) => args.slice(start + 1, starts[i + 1]))
  if (pairs.length === 0 || pairs.some(pair => pair.length !== 2)) {
    throw new ConfigError(
      `${OPTION} takes two addresses, SOURCE and DEST, once or more: ${OPTION} :10000 127.0.0.1:10007`,
    )
  }
  return pairs.map(([source = '', dest = '']) => parseService(source, dest))
}

async function serve(services: readonly Service[], io: ProgramIo): Promise<void> {
  const relays = services.map(service => ({ service, relay: relayFor(service, io) }))
  const servers = relays.map(({ relay }) => relay.server)
  try {
    await serveUntilSignal(io, servers, async () => {
      for (const { service, relay } of relays) {
        const address = await relay.listen()
        log(io, 'listening', [
          ['address', showAddress(address)],
          ['upstream', upstreamOf(service)],
          ['sends', service.header],
        ])
      }
    })
  } finally {
    await Promise.all(servers.map(server => server.abort()))
  }
}

function relayFor(service: Service, io: ProgramIo): Relay {
  const upstream = upstreamOf(service)
  return createRelay(service, {
    onClosed: record => {
      log(io, 'closed', describeRecord(record, upstream))
    },
    onError: (error, connection) => {
      logFailure(io, error, connection)
    },
  })
}

function describeRecord(record: RelayRecord, upstream: string): LogFields {
  const { id, peer, local, reason, error, bytesUp, bytesDown, age } = record
  return [
    ['id', id],
    ['peer', showEndpoint(peer)],
    ['local', showEndpoint(local)],
    ['upstream', upstream],
    ['reason', reason],
    ['bytesUp', bytesUp],
    ['bytesDown', bytesDown],
    ['ms', Math.round(age)],
    ['error', error?.message],
  ]
}

/** Where it is; what it is sent has a field of its own. */
function upstreamOf({ upstream }: Service): string {
  return formatAddress({ ...upstream, pp: undefined })
}
