/* c8 ignore start -- it runs from dist in a thread, where c8 sees no sources */
import { once } from 'node:events'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { partsOf, readHere, type ReadingTask } from './read-apart.ts'

const parent = parentPort as MessagePort // a thread has one
for (const part of partsOf(readHere(workerData as ReadingTask))) {
  parent.postMessage(part)
  if (part.outcome === undefined) await once(parent, 'message')
}
/* c8 ignore stop */
