// A server in a process of its own that runs out of file descriptors when it is told to, for accept errors that are real.
// It takes further options as JSON.

import { closeSync, openSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createServer, type CommonServerOptions } from '../../src/server/index.ts'

const options = JSON.parse(process.argv[2] ?? '{}') as CommonServerOptions // the test's own
const server = createServer({ trust: ['127.0.0.1'], ...options }, async ({ socket }) => {
  await pipeline(socket, socket)
})
const held: number[] = []

function tell(message: unknown): void {
  process.send?.(message)
}

/** Takes every descriptor that is left. */
function fill(): void {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch (error) {
    tell((error as NodeJS.ErrnoException).code)
  }
}

function free(): void {
  for (const descriptor of held.splice(0)) closeSync(descriptor)
  tell('freed')
}

async function stop(): Promise<void> {
  const { state } = server
  await server.close()
  tell({ state, stats: server.stats() })
  process.disconnect()
}

const orders: Readonly<Record<string, () => unknown>> = { fill, free, stop }
process.on('message', order => orders[String(order)]?.())
tell(await server.listen(0, '127.0.0.1'))
