// What a connection asks of its pool.

import type { TLSSocket } from 'node:tls'
import type { Endpoint, HeaderInit } from 'proxyprotocol'
import type { StopSignal } from 'proxyprotocol/client'
import type { UpstreamSettings } from '../../config/index.ts'
import type { Abortable, Closing } from './owned-connections.ts'

/** Where a connection went, as far as it got. */
export interface Route {
  /** The upstream that serves it, or was tried last. */
  upstream: string | undefined
  upstreamAddress: Endpoint | undefined
  attempts: number
}

export interface UpstreamRequest {
  readonly source: Endpoint | undefined
  readonly client?: TLSSocket | undefined
  readonly header: (upstream: UpstreamSettings) => HeaderInit | undefined
  readonly payload: () => Uint8Array | null
  readonly timeout: number
  readonly signal: StopSignal
  readonly route: Route
  /** Aborted by `onDown: 'reset'` and by `resolve.drain`. */
  readonly owner?: Abortable | undefined
}

/** Where and how to connect, without a socket. */
export interface DialTarget {
  /** No name. */
  readonly address: string
  readonly port: number
  readonly source: string | undefined
  /** Milliseconds. */
  readonly timeout: number
  readonly settings: UpstreamSettings
}

/** A connection whose upstream is connected. */
export interface Dialled extends Closing {
  readonly upstreamEnd: Endpoint | undefined
}

export type DialRequest = Pick<UpstreamRequest, 'source' | 'timeout' | 'signal' | 'route' | 'owner'> & {
  readonly dial: (target: DialTarget) => Promise<Dialled>
}
