/* c8 ignore start -- it runs from dist in a thread, where c8 sees no sources */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { readHere, type ReadingTask } from './read-apart.ts'

const parent = parentPort as MessagePort // a thread has one
parent.postMessage(readHere(workerData as ReadingTask)) // readApart() gives one
/* c8 ignore stop */
