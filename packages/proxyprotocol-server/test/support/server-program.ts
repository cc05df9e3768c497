// proxyprotocol-server from its sources, as a process of its own.

import { runServer } from '../../src/cli/index.ts'

process.exitCode = await runServer(process.argv.slice(2))
