// proxyprotocol-server: a TCP proxy that puts a header in front of each connection.

import type { AdminServer } from '../../admin/index.ts'
import type { Configuration } from '../../config/index.ts'
import { withConnectionLimits } from '../../relay/index.ts'
import { runImport } from '../import/index.ts'
import { processIo, type ProgramIo, runProgram, serveUntilSignal } from '../program.ts'
import { type ControlServer, ctl, type Reread, startControl } from '../control/index.ts'
import {
  assignSockets,
  type HostOptions,
  inheritedSockets,
  ServiceHost,
  type Serving,
  TicketRotation,
  startAdmin,
} from '../services/index.ts'
import { WorkerGroup } from '../workers/index.ts'
import { serverRequest } from './arguments.ts'
import { health } from './health.ts'
import { readApart } from './read-apart.ts'
import { type ReloadOptions, Reloads } from './reloads.ts'
import { showConfiguration } from './show-configuration.ts'

export function runServer(args: readonly string[], io: ProgramIo = processIo): Promise<number> {
  if (args[0] === 'import') return runImport(args.slice(1), io)
  return runProgram(io, async () => {
    const [first, ...rest] = args
    if (first === 'ctl') return ctl(rest, io)
    if (first === 'health') return health(rest, io)
    const { command, configuration, sources, origin, watched } = serverRequest(args, io)
    const reread: Reread = kept => readApart(args, io, kept)
    if (command === 'serve') return serve(io, { first: { configuration, sources }, reread, watched })
    const services = withConnectionLimits(configuration.services)
    io.out(`${origin}: OK\n\n${showConfiguration({ ...configuration, services })}`)
  })
}

async function serve(io: ProgramIo, options: ReloadOptions): Promise<void> {
  const { configuration: first } = options.first
  const tickets = new TicketRotation(secret => void served.renewTicketKeys(secret))
  const sockets = assignSockets(inheritedSockets(io.env), first.services)
  const served = servingOf(io, first, { sockets, ticketSecret: tickets.secret })
  const reloads = new Reloads(io, served, options)
  let admin: AdminServer | undefined
  let control: ControlServer | undefined
  try {
    await serveUntilSignal(io, [served], async () => {
      admin = first.admin && (await startAdmin(io, first.admin, served.shown))
      await served.start()
      control = first.control && (await startControl(first.control.socket, reloads.running))
      reloads.start()
    })
  } finally {
    await Promise.all([served.stop(), admin?.close(), control?.close()])
    reloads.stop()
    tickets.stop()
  }
}

function servingOf(io: ProgramIo, first: Configuration, options: HostOptions): Serving {
  return first.workers === 1 ? new ServiceHost(io, first, options) : new WorkerGroup(io, first, options)
}
