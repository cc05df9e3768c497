// Where an address says to connect to, in the words of `connect`: one place for all who open a connection upstream.

import type { ConnectOptions } from 'proxyprotocol/client'
import type { Address } from '../../config/index.ts'

export function targetOf({ host, port }: Address): Pick<ConnectOptions, 'host' | 'port'> {
  return { host, port }
}
