// Started by proxyprotocol-server --workers, and of no use otherwise.

import { runWorker } from '../dist/cli/index.js'

await runWorker()
