// Logs changes of upstreams, one line for each change.

import type { LogFields } from '../../log/index.ts'
import type { RoutedEvent } from '../../relay/index.ts'
import type { ProgramIo } from '../program.ts'

export function logUpstream(io: ProgramIo, service: string, event: RoutedEvent): void {
  const { route, upstream } = event
  const where: LogFields = [
    ['service', service],
    ['route', route],
    ['upstream', upstream],
  ]
  switch (event.kind) {
    case 'down': {
      const { code, message } = event.failure
      const why: LogFields = [
        ['address', event.address],
        ['reason', code],
        ['error', message],
      ]
      io.log.write('upstream_down', [...where, ...why], 'warn')
      return
    }
    case 'up': {
      const since: LogFields = [
        ['address', event.address],
        ['downMs', Math.round(event.downFor)],
      ]
      io.log.write('upstream_up', [...where, ...since])
      return
    }
    case 'left_out': {
      const counts: LogFields = [
        ['members', event.members],
        ['leftOut', event.leftOut],
      ]
      io.log.write('upstream_left_out', [...where, ...counts], 'warn')
    }
  }
}
