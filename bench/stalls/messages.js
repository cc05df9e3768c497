// Exchanges one message after the other through a relay, and reports the longest time that one took. The upstream is here too,
// so that nothing else that the benchmark does keeps a message waiting.

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { parentPort } from 'node:worker_threads'

/** Milliseconds between two messages, so that messages alone do not use up a processor. */
const PAUSE = 1

const upstream = createServer(socket =>
  socket
    .setNoDelay()
    .on('error', () => undefined)
    .pipe(socket),
)
upstream.listen(0, '127.0.0.1')
await once(upstream, 'listening')
parentPort?.postMessage(upstream.address())

/** @type {[number]} */
const [port] = /** @type {any} */ (await once(/** @type {any} */ (parentPort), 'message')) // what bench/stalls.ts sends
const socket = connect(port, '127.0.0.1').setNoDelay()
let [longest, sentAt] = [0, 0]
socket.on('data', () => {
  longest = Math.max(longest, performance.now() - sentAt)
  setTimeout(send, PAUSE)
})
send()
parentPort?.on('message', () => {
  parentPort?.postMessage(longest)
  longest = 0
})

function send() {
  sentAt = performance.now()
  socket.write('x')
}
