import type { AdminServer } from '../../admin/index.ts'
import type { Configuration } from '../../config/index.ts'
import { withConnectionLimits } from '../../relay/index.ts'
import { processIo, type ProgramIo, runProgram, serveUntilSignal } from '../program.ts'
import {
  assignSockets,
  entriesBelow,
  EntryWatch,
  inheritedSockets,
  ServiceHost,
  type Serving,
  startAdmin,
} from '../services/index.ts'
import { WorkerGroup } from '../workers/index.ts'
import { serverRequest } from './arguments.ts'
import { Sighup } from './sighup.ts'
import { showConfiguration } from './show-configuration.ts'

export function runServer(args: readonly string[], io: ProgramIo = processIo): Promise<number> {
  return runProgram(io, async () => {
    const { command, configuration, origin, watched } = serverRequest(args, io)
    if (command === 'serve')
      return serve(configuration, { reread: () => serverRequest(args, io).configuration, watched }, io)
    const services = withConnectionLimits(configuration.services)
    io.out(`${origin}: OK\n\n${showConfiguration({ ...configuration, services })}`)
  })
}

interface Reloading {
  readonly reread: () => Configuration
  readonly watched: readonly string[]
}

async function serve(first: Configuration, { reread, watched }: Reloading, io: ProgramIo): Promise<void> {
  const sockets = assignSockets(inheritedSockets(io.env), first.services)
  const served: Serving =
    first.workers === 1 ? new ServiceHost(io, first, { sockets }) : new WorkerGroup(io, first, sockets)
  const files = new EntryWatch(io, () => {
    sighup.ask()
  })
  const sighup = new Sighup(io, async () => {
    files.watch(watched.flatMap(entriesBelow))
    await served.reload(reread)
    served.renew()
  })
  let admin: AdminServer | undefined
  try {
    await serveUntilSignal(io, [served], async () => {
      admin = first.admin && (await startAdmin(io, first.admin, served.shown))
      await served.start()
      files.watch(watched.flatMap(entriesBelow))
      sighup.start()
    })
  } finally {
    await Promise.all([served.stop(), admin?.close()])
    files.stop()
    sighup.stop()
  }
}
