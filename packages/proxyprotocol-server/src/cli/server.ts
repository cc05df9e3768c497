// proxyprotocol-server: a TCP proxy that puts a header in front of each connection.

import type { CloseReason, ProxyServer } from 'proxyprotocol/server'
import type { Configuration, Service, Shutdown } from '../config/index.ts'
import type { AdminServer } from '../admin/index.ts'
import { createRelay, withConnectionLimits, type Relay } from '../relay/index.ts'
import { describeAccess } from './access-log.ts'
import { startAdmin } from './admin.ts'
import { watchCertificates } from './certificate-watch.ts'
import { showAddress, type LogFields } from './log.ts'
import {
  log,
  logFailure,
  processIo,
  runProgram,
  serveUntilSignal,
  type Drainable,
  type ProgramIo,
} from './program.ts'
import { logRejections } from './rejections.ts'
import { serverRequest } from './server-arguments.ts'
import { showConfiguration } from './show-configuration.ts'
import { sentTo, upstreamsOf } from './show-pool.ts'

/** What `--quiet` leaves: that the upstream or the program failed a connection is for its operator to know. */
const FAILED_BY_US: readonly CloseReason[] = [
  ...(['connect_refused', 'connect_timeout', 'connect_error', 'dns_error', 'no_upstream'] as const),
  ...(['tls_upstream_error', 'upstream_reset', 'handler_error'] as const),
]

/** Runs the program until a signal ends it; resolves with its exit code. */
export function runServer(args: readonly string[], io: ProgramIo = processIo): Promise<number> {
  return runProgram(io, async () => {
    const { command, configuration, origin } = serverRequest(args, io)
    if (command === 'serve') return serve(configuration, io)
    const services = withConnectionLimits(configuration.services)
    io.out(`${origin} is right.\n\n${showConfiguration({ ...configuration, services })}`)
  })
}

async function serve(configuration: Configuration, io: ProgramIo): Promise<void> {
  const { services, shutdown, log: settings } = configuration
  const { quiet } = settings
  io.log.format = settings.format
  const relays = withConnectionLimits(services).map(service => relayFor(service, quiet, io))
  const servers = relays.map(({ server }) => server)
  const drainables = servers.map(server => drainable(server, shutdown))
  const stopWatching = watchCertificates(io, relays)
  const stopLogging = quiet ? () => undefined : logRejections(io, servers, server => serviceOf(server)?.name)
  let admin: AdminServer | undefined
  function serviceOf(server: ProxyServer): Service | undefined {
    return relays.find(each => each.server === server)?.service
  }
  try {
    await serveUntilSignal(io, drainables, async () => {
      admin = configuration.admin && (await startAdmin(io, configuration.admin, () => relays))
      for (const relay of relays) {
        const address = await relay.listen()
        log(io, 'listening', [['address', showAddress(address)], ...describeService(relay.service)])
      }
    })
  } finally {
    await Promise.all([...servers.map(server => server.abort()), admin?.close()])
    stopLogging()
    stopWatching()
  }
}

function drainable(server: ProxyServer, shutdown: Shutdown): Drainable {
  return {
    get connections() {
      return server.connections
    },
    close: () => server.close(shutdown),
  }
}

function relayFor(service: Service, quiet: boolean, io: ProgramIo): Relay {
  return createRelay(service, {
    onClosed: record => {
      if (!quiet || FAILED_BY_US.includes(record.reason))
        log(io, 'closed', describeAccess(record, service.name))
    },
    onError: (error, connection) => {
      logFailure(io, error, connection)
    },
  })
}

/** Durations in milliseconds. */
function describeService(service: Service): LogFields {
  const { accepts, limits, timeouts } = service
  return [
    ['service', service.name],
    ['upstream', upstreamsOf(service)],
    ['sends', sentTo(service)],
    ['expects', accepts?.version],
    ['trust', accepts && [accepts.trust].flat().join(',')],
    ['headerTimeout', accepts && timeouts.header],
    ['connections', limits.connections],
    ['connectTimeout', timeouts.connect],
    ['idleTimeout', timeouts.idle],
    ['halfCloseTimeout', timeouts.halfClose],
  ]
}
