// A linked list: each eviction from a Map would search through the slots of deleted flows.

import type { Flow } from './flow.ts'

export class FlowQueue {
  first: Flow | undefined
  #last: Flow | undefined

  push(flow: Flow): void {
    flow.previous = this.#last
    if (this.#last) this.#last.next = flow
    else this.first = flow
    this.#last = flow
  }

  remove(flow: Flow): void {
    const { previous, next } = flow
    if (previous) previous.next = next
    else this.first = next
    if (next) next.previous = previous
    else this.#last = previous
    flow.previous = flow.next = undefined
  }

  moveToEnd(flow: Flow): void {
    if (flow === this.#last) return
    this.remove(flow)
    this.push(flow)
  }
}
