// What a program and its workers say to each other: the program gives orders, a worker answers each with its number. Between
// orders a worker says what becomes of its services, as lines of the log.

import type { CloseResult } from 'proxyprotocol/server'
import type { Configuration } from '../../config/index.ts'
import type { LiveConnection, ProcessFigures, Readiness, ServiceFigures } from '../../figures/index.ts'
import type { ChangeCounts, InheritedSocket } from '../services/index.ts'

/**
 * Signals that are the program's business alone, also where a terminal or a service manager sends them to every process. A
 * worker ignores them as soon as its code runs.
 */
export const programSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** All that a worker shows. */
export interface WorkerReport {
  readonly readiness: Readiness
  readonly services: readonly ServiceFigures[]
  /** The open connections by service; undefined if they were not asked for. */
  readonly connections: ReadonlyMap<string, readonly LiveConnection[]> | undefined
  readonly lostLogLines: number
  readonly process: ProcessFigures
}

/** Comes first: serve this. */
export interface ServeOrder {
  readonly type: 'serve'
  readonly configuration: Configuration
  /** Sockets of the program's own process that listen already, by the names of services. */
  readonly sockets: ReadonlyMap<string, InheritedSocket>
}

export type Order =
  /** Put this configuration in the place of the one before, or change nothing. */
  | { readonly type: 'change'; readonly configuration: Configuration }
  /** Read the certificates. */
  | { readonly type: 'renew' }
  /** Say what there is to show; `listing` asks for the connections one by one as well. */
  | { readonly type: 'report'; readonly listing: boolean }
  /** Take no more connections, let those that are open finish, and end. */
  | { readonly type: 'drain' }

/** What is answered to an order that could be done. */
export interface Answers {
  readonly serve: undefined
  readonly change: ChangeCounts
  readonly renew: undefined
  readonly report: WorkerReport
  readonly drain: { readonly result: CloseResult; readonly report: WorkerReport }
}

/** An order, and the number that its answer has. */
export interface OrderMessage<Type = ServeOrder | Order> {
  readonly id: number
  readonly order: Type
}

/** Why an order could not be done. */
export interface Failure {
  readonly message: string
  /** Whether it is the configuration that is wrong, which decides on the exit code. */
  readonly inConfiguration: boolean
}

export type WorkerMessage =
  /** It listens to orders; those that came before would be lost. */
  | { readonly type: 'ready' }
  | { readonly type: 'said'; readonly text: string }
  | { readonly type: 'done'; readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly type: 'failed'; readonly id: number; readonly error: Failure }
