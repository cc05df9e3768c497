// Our relay between peers: it believes the headers that come, and sends on what they say.

import { createRelay, parseConfig, parseService, type Service } from 'proxyprotocol-server'
import { ca, certificateFiles } from './certificates.ts'
import type { Harness } from './harness.ts'

const HOST = '127.0.0.1'

export interface RelayPlan {
  /** The upstream; with `tls` it speaks TLS behind the header. */
  readonly to: { readonly port: number; readonly tls?: boolean }
  readonly sends: 1 | 2
  /** Whether the relay ends the clients' TLS, behind the header that they send. */
  readonly tls?: boolean
}

/** Starts it; it ends with the harness. */
export async function startRelay(harness: Harness, { to, sends, tls = false }: RelayPlan): Promise<number> {
  const { cert, key } = certificateFiles(harness)
  const from = tls ? `ssl://${HOST}:0?pp=detect&cert=${cert}&key=${key}` : `${HOST}:0?pp=detect`
  const upstream = to.tls
    ? `ssl://${HOST}:${to.port}?pp=v${sends}&cafile=${harness.file('ca.pem', ca)}`
    : `${HOST}:${to.port}?pp=v${sends}`
  return listening(harness, parseService(from, upstream, { trust: ['127.0.0.0/8'] }))
}

/** Starts a relay for a service of a configuration; it ends with the harness. */
export async function startService(harness: Harness, service: object): Promise<number> {
  const { services } = parseConfig({ services: [service] })
  return listening(harness, services[0] as Service) // it takes no fewer than one
}

async function listening(harness: Harness, service: Service): Promise<number> {
  const relay = createRelay(service)
  const bound = await relay.listen()
  harness.atEnd(() => relay.server.abort())
  if (typeof bound === 'string') throw new Error(`the relay listens at ${bound}`)
  return bound.port
}
