// proxyprotocol-server: a TCP proxy that puts a header in front of each connection.

import { connectionLimit, createRelay, type Relay, type RelayRecord } from '../relay/index.ts'
import {
  ConfigError,
  formatAddress,
  parseService,
  parseTrust,
  type Service,
  type TrustList,
} from '../config/index.ts'
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
import { logRejections } from './rejections.ts'

const OPTION = '--service'

/** What commander makes of the arguments, besides the services. */
interface Flags {
  readonly trust?: readonly string[]
}

/** Runs the program until a signal ends it; resolves with its exit code. */
export function runServer(args: readonly string[], io: ProgramIo = processIo): Promise<number> {
  return runProgram(io, async () => {
    const command = createCommand('proxyprotocol-server', io)
      .description('A TCP proxy that puts a PROXY protocol header in front of each connection.')
      .usage('--service SOURCE DEST [--service SOURCE DEST]...')
      .option(
        `${OPTION} <SOURCE DEST...>`,
        'listen at SOURCE and connect to DEST, which gets a version 2 header; DEST?pp=v1 version 1, ?pp=noop none; ' +
          'SOURCE?pp=detect, v1 or v2 accepts headers from those that --trust names',
      )
      .option(
        '--trust <CIDR>',
        'whose headers are believed: networks, addresses, "unix" or "anyone"; repeatable, commas allowed',
        gather,
      )
      .parse(args, { from: 'user' })
    const { trust } = command.opts<Flags>()
    await serve(servicesOf(args, trust && parseTrust(trust)), io)
  })
}

function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** Commander gathers the values of all times in one list; which belong together only the arguments say. */
function servicesOf(args: readonly string[], trust: TrustList | undefined): readonly Service[] {
  const starts = args.flatMap((arg, at) => (arg === OPTION ? [at] : []))
  const pairs = starts.map(start => valuesFrom(args.slice(start + 1)))
  if (pairs.length === 0 || pairs.some(pair => pair.length !== 2)) {
    throw new ConfigError(
      `${OPTION} takes two addresses, SOURCE and DEST, once or more: ${OPTION} :10000 127.0.0.1:10007`,
    )
  }
  const services = pairs.map(([source = '', dest = '']) => parseService(source, dest, { trust }))
  if (trust !== undefined && services.every(({ accepts }) => accepts === undefined)) {
    throw new ConfigError(
      `--trust needs a SOURCE that accepts headers: ${OPTION} ':10000?pp=detect' 127.0.0.1:10007`,
    )
  }
  return services
}

/** Up to the next option. */
function valuesFrom(args: readonly string[]): readonly string[] {
  const end = args.findIndex(arg => arg.startsWith('-'))
  return end === -1 ? args : args.slice(0, end)
}

async function serve(services: readonly Service[], io: ProgramIo): Promise<void> {
  const connections = connectionLimit(services.length)
  const relays = services.map(service => ({ service, relay: relayFor(service, connections, io) }))
  const servers = relays.map(({ relay }) => relay.server)
  const stopLogging = logRejections(io, servers)
  try {
    await serveUntilSignal(io, servers, async () => {
      for (const { service, relay } of relays) {
        const address = await relay.listen()
        log(io, 'listening', [['address', showAddress(address)], ...describeService(service, relay)])
      }
    })
  } finally {
    await Promise.all(servers.map(server => server.abort()))
    stopLogging()
  }
}

function relayFor(service: Service, connections: number, io: ProgramIo): Relay {
  const upstream = upstreamOf(service)
  return createRelay(service, {
    limits: { connections },
    onClosed: record => {
      log(io, 'closed', describeRecord(record, upstream))
    },
    onError: (error, connection) => {
      logFailure(io, error, connection)
    },
  })
}

/** Durations in milliseconds. */
function describeService(service: Service, { settings }: Relay): LogFields {
  const { accepts, header } = service
  const { limits, timeouts, connectTimeout } = settings
  return [
    ['upstream', upstreamOf(service)],
    ['sends', header],
    ['expects', accepts?.version],
    ['trust', accepts && [accepts.trust].flat().join(',')],
    ['headerTimeout', accepts && timeouts.header],
    ['connections', limits.connections],
    ['connectTimeout', connectTimeout],
    ['idleTimeout', timeouts.idle],
    ['halfCloseTimeout', timeouts.halfClose],
  ]
}

function describeRecord(record: RelayRecord, upstream: string): LogFields {
  const { id, uniqueId, peer, source, local, reason, error, bytesUp, bytesDown, age } = record
  return [
    ['id', id],
    ['uniqueId', uniqueId],
    ['peer', showEndpoint(peer)],
    ['source', showEndpoint(source)],
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
