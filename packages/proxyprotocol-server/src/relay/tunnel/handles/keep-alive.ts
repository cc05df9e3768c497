// Keep-alive takes a system call for each handle, which most connections do not live to need. One timer starts it.

import { LiveSet } from 'proxyprotocol/internal/node'
import type { Flow } from './flow.ts'

const AFTER = 1_000

let newer = new LiveSet<Flow>()
let older = new LiveSet<Flow>()
let timer: NodeJS.Timeout | undefined

/** Calls the owner once, after one to two seconds. */
export function watchAge(flow: Flow): void {
  newer.add(flow)
  timer ??= setInterval(look, AFTER).unref()
}

export function forgetAge(flow: Flow): void {
  newer.delete(flow)
  older.delete(flow)
}

function look(): void {
  for (const flow of older) {
    older.delete(flow)
    flow.owner.onAged()
  }
  ;[older, newer] = [newer, older]
  if (older.size > 0) return
  clearInterval(timer)
  timer = undefined
}
