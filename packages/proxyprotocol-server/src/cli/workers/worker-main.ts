// The process of a worker; `worker-process.ts` starts it.

import { runWorker } from './worker.ts'

await runWorker()
