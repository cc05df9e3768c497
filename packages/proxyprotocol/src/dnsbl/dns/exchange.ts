// Asks one server by datagrams, and over TCP if the reply does not fit or forgers are at work.

import { randomInt } from 'node:crypto'
import { BADRESP } from 'node:dns'
import type { NameServer } from './name-server.ts'
import { encodeQuery } from './query.ts'
import type { Reply } from './reply.ts'
import { overTcp, overUdp } from './transport.ts'
import type { Transport } from './transport.ts'

/** As in BIND: each wrong datagram is a forger's guess. Late replies do not count. */
const MAX_STRAYS = 16

export type Outcome = Extract<Reply, { status: 'records' | 'failure' }>

export class Exchange {
  readonly #server: NameServer
  readonly #query: Uint8Array
  readonly #onOutcome: (outcome: Outcome) => void
  #transport: Transport
  #strays = 0

  /** `onOutcome` may be called more than once; close at the first. */
  constructor(server: NameServer, name: string, onOutcome: (outcome: Outcome) => void) {
    this.#server = server
    this.#query = encodeQuery(name, randomInt(65_536))
    this.#onOutcome = onOutcome
    this.#transport = overUdp(server, this.#query, reply => this.#onDatagram(reply))
  }

  /** A datagram may be lost. */
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
