// proxyprotocol-server: a TCP proxy that puts a header in front of each connection.

import type { CloseReason } from 'proxyprotocol/server'
import type { Configuration, Service } from '../config/index.ts'
import type { AdminServer } from '../admin/index.ts'
import { createRelay, withConnectionLimits, type Relay } from '../relay/index.ts'
import { describeAccess } from './access-log.ts'
import { startAdmin } from './admin.ts'
import { CertificateWatch } from './certificate-watch.ts'
import { Hangups } from './hangups.ts'
import { inheritedSockets } from './inherited-sockets.ts'
import type { LogFields } from './log.ts'
import { log, logFailure, processIo, runProgram, serveUntilSignal, type ProgramIo } from './program.ts'
import { logRejections } from './rejections.ts'
import { RunningConfiguration } from './running-configuration.ts'
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
    if (command === 'serve') return serve(configuration, () => serverRequest(args, io).configuration, io)
    const services = withConnectionLimits(configuration.services)
    io.out(`${origin} is right.\n\n${showConfiguration({ ...configuration, services })}`)
  })
}

/** Serves until a signal ends it; SIGHUP makes it read its configuration again. */
async function serve(first: Configuration, reread: () => Configuration, io: ProgramIo): Promise<void> {
  const isQuiet = (): boolean => running.current.log.quiet
  const create = (service: Service): Relay => relayFor(service, isQuiet, io)
  const sockets = inheritedSockets(io.env)
  const running = new RunningConfiguration(io, { first, reread, create, sockets, describe: describeService })
  const { fleet } = running
  const stopLogging = logRejections(io, { has: server => !isQuiet() && fleet.servers.has(server) }, server =>
    fleet.nameOf(server),
  )
  const certificates = new CertificateWatch(io, () => fleet.relays)
  const hangups = new Hangups(io, async () => {
    await running.reload()
    certificates.watch()
    certificates.renew()
  })
  let admin: AdminServer | undefined
  try {
    await serveUntilSignal(io, [running], async () => {
      admin = first.admin && (await startAdmin(io, first.admin, () => fleet.reported()))
      await running.start()
      certificates.watch()
      hangups.start()
    })
  } finally {
    await Promise.all([fleet.abort(), admin?.close()])
    hangups.stop()
    stopLogging()
    certificates.stop()
  }
}

function relayFor(service: Service, isQuiet: () => boolean, io: ProgramIo): Relay {
  return createRelay(service, {
    onClosed: record => {
      if (!isQuiet() || FAILED_BY_US.includes(record.reason))
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
