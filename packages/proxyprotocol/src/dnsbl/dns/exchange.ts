// One server is asked one question: by datagrams, and over TCP where the reply does not fit into one or forgers are at work.

import { randomInt } from 'node:crypto'
import { BADRESP } from 'node:dns'
import type { NameServer } from './name-server.ts'
import { encodeQuery } from './query.ts'
import type { Reply } from './reply.ts'
import { overTcp, overUdp } from './transport.ts'
import type { Transport } from './transport.ts'

/**
 * Datagrams that are no reply to the query, after which it is asked over TCP, as BIND does: each is a guess of a forger, or
 * costs us time. A slow server's late replies to repeated queries are good ones, and do not count.
 */
const MAX_STRAYS = 16

/** What a server has answered in the end. */
export type Outcome = Extract<Reply, { status: 'records' | 'failure' }>

export class Exchange {
  readonly #server: NameServer
  readonly #query: Uint8Array
  readonly #onOutcome: (outcome: Outcome) => void
  #transport: Transport
  #strays = 0

  /** Asks; `onOutcome` is called later, and again where a server goes on: whoever opened it closes it at the first. */
  constructor(server: NameServer, name: string, onOutcome: (outcome: Outcome) => void) {
    this.#server = server
    this.#query = encodeQuery(name, randomInt(65_536))
    this.#onOutcome = onOutcome
    this.#transport = overUdp(server, this.#query, reply => this.#onDatagram(reply))
  }

  /** Asks again, where a datagram may be lost. */
  repeat(): void {
    this.#transport.repeat()
  }

  close(): void {
    this.#transport.close()
  }

  #onDatagram(reply: Reply): void {
    if (isOutcome(reply)) return this.#onOutcome(reply)
    if (reply.status === 'stray' && ++this.#strays < MAX_STRAYS) return
    this.#transport.close()
    this.#transport = overTcp(this.#server, this.#query, answer => {
      this.#onOutcome(isOutcome(answer) ? answer : { status: 'failure', code: BADRESP })
    })
  }
}

function isOutcome(reply: Reply): reply is Outcome {
  return reply.status === 'records' || reply.status === 'failure'
}
