import type { HeaderServerOptions, ServerOptions } from 'proxyprotocol/server'
import type { Service } from '../config/index.ts'
import type { Gate } from './access/index.ts'

export function serverOptions(
  { accepts, limits, overLimit, rate, timeouts }: Service,
  { validators }: Gate,
): ServerOptions {
  const { header, idle, halfClose, abort } = timeouts
  return {
    ...((accepts as HeaderServerOptions | undefined) ?? { version: 'none' }), // createRelay() refuses the other versions
    validate: validators,
    limits: { ...limits, perSourceExempt: rate?.exempt },
    overLimit,
    timeouts: { header, idle, halfClose, abort },
  }
}
