// What the benchmarks of whole programs share: lines of the log, and messages that wait.

import { once } from 'node:events'
import type { Interface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'

/** The longest message of all rounds, in milliseconds. */
export async function longestWhile(
  messages: Worker,
  rounds: number,
  job: () => Promise<unknown>,
): Promise<number> {
  let longest = 0
  for (let round = 0; round < rounds; round++) {
    await pause(500)
    messages.postMessage('begin')
    await once(messages, 'message')
    await job()
    await pause(500) // a message that was delayed has come by then
    messages.postMessage('end')
    const [longestOfRound] = (await once(messages, 'message')) as [number] // as bench/stalls/messages.js answers
    longest = Math.max(longest, longestOfRound)
  }
  return longest
}

/** The next line of the log about such an event. */
export function lineOf(lines: Interface, event: string): Promise<string> {
  return new Promise(resolve => {
    const look = (line: string): void => {
      if (!line.includes(` ${event} `)) return
      lines.off('line', look)
      resolve(line)
    }
    lines.on('line', look)
  })
}

export function portIn(text: string): number {
  return Number(/address=\S*:(\d+)/.exec(text)?.[1])
}
