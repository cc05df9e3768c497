// A hostile name server in a process of its own, so that its work is not its client's. It says where it listens, and ends
// with the process that has started it.

import { startHostileServer } from './hostile-name-server.ts'
import { hostileKinds, silence } from './hostile-replies.ts'
import type { HostileKind } from './hostile-replies.ts'

const kinds: Readonly<Record<string, HostileKind>> = hostileKinds
const server = await startHostileServer(kinds[process.argv[2] ?? ''] ?? silence)
process.once('disconnect', () => void server.close())
process.send?.(server.address)
