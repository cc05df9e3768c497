// Messages between the program and its workers: numbered orders with one answer each, and log lines of a worker in
// between.

import type { CloseResult } from 'proxyprotocol/server'
import type { Configuration } from '../../config/index.ts'
import type {
  LiveConnection,
  ProcessFigures,
  Readiness,
  Refusal,
  ServiceFigures,
} from '../../figures/index.ts'
import type { ChangeCounts, ConnectionFilter, HostOptions } from '../services/index.ts'

/** Terminals and service managers send these to every process. */
export const programSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

export interface WorkerReport {
  readonly readiness: Readiness
  readonly services: readonly ServiceFigures[]
  readonly connections: ReadonlyMap<string, readonly LiveConnection[]> | undefined
  readonly refusals: readonly Refusal[]
  readonly lostLogLines: number
  readonly process: ProcessFigures
}

export interface ServeOrder {
  readonly type: 'serve'
  readonly configuration: Configuration
  readonly options: Omit<HostOptions, 'tellTo'>
}

export type Order =
  | {
      readonly type: 'change'
      readonly configuration: Configuration
      /** Only it counts what all workers share. */
      readonly isFirst: boolean
    }
  | { readonly type: 'renew' }
  | { readonly type: 'tickets'; readonly secret: Uint8Array }
  | { readonly type: 'report'; readonly listing: boolean }
  | { readonly type: 'close'; readonly filter: ConnectionFilter }
  | { readonly type: 'drain' }

export interface Answers {
  readonly serve: undefined
  readonly change: ChangeCounts
  readonly renew: undefined
  readonly tickets: undefined
  readonly close: number
  readonly report: WorkerReport
  readonly drain: { readonly result: CloseResult; readonly report: WorkerReport }
}

export interface OrderMessage<Type = ServeOrder | Order> {
  readonly id: number
  readonly order: Type
}

export interface Failure {
  readonly message: string
  readonly inConfiguration: boolean
}

export type WorkerMessage =
  /** Earlier orders would be lost. */
  | { readonly type: 'ready' }
  | { readonly type: 'said'; readonly text: string }
  | { readonly type: 'done'; readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly type: 'failed'; readonly id: number; readonly error: Failure }
