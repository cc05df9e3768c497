// Messages between the program and its workers: numbered orders with one answer each, and log lines of a worker in
// between.

import type { CloseResult } from 'proxyprotocol/server'
import type { Configuration } from '../../config/index.ts'
import type { LiveConnection, ProcessFigures, Readiness, ServiceFigures } from '../../figures/index.ts'
import type { ChangeCounts, InheritedSocket } from '../services/index.ts'

/**
 * Signals for the program alone, although a terminal or service manager sends them to every process. A worker ignores
 * them as soon as its code runs.
 */
export const programSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** A worker's report. */
export interface WorkerReport {
  readonly readiness: Readiness
  readonly services: readonly ServiceFigures[]
  /** The open connections by service; undefined if they were not asked for. */
  readonly connections: ReadonlyMap<string, readonly LiveConnection[]> | undefined
  readonly lostLogLines: number
  readonly process: ProcessFigures
}

/** The first order: serve this. */
export interface ServeOrder {
  readonly type: 'serve'
  readonly configuration: Configuration
  /** Listening sockets of the main process, by service. */
  readonly sockets: ReadonlyMap<string, InheritedSocket>
}

export type Order =
  /** Replace the configuration, or change nothing. */
  | { readonly type: 'change'; readonly configuration: Configuration }
  /** Reload the certificates. */
  | { readonly type: 'renew' }
  /** Report; `listing` includes the connections one by one. */
  | { readonly type: 'report'; readonly listing: boolean }
  /** Stop listening, let open connections finish, and exit. */
  | { readonly type: 'drain' }

/** The answer to an order that was carried out. */
export interface Answers {
  readonly serve: undefined
  readonly change: ChangeCounts
  readonly renew: undefined
  readonly report: WorkerReport
  readonly drain: { readonly result: CloseResult; readonly report: WorkerReport }
}

/** An order, and the number of its answer. */
export interface OrderMessage<Type = ServeOrder | Order> {
  readonly id: number
  readonly order: Type
}

/** Why an order failed. */
export interface Failure {
  readonly message: string
  /** True if the configuration is at fault, which decides the exit code. */
  readonly inConfiguration: boolean
}

export type WorkerMessage =
  /** The worker listens to orders; earlier ones would be lost. */
  | { readonly type: 'ready' }
  | { readonly type: 'said'; readonly text: string }
  | { readonly type: 'done'; readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly type: 'failed'; readonly id: number; readonly error: Failure }
