// Many connections at once to a listener that does not accept just then, because its process is busy or stopped: the kernel lets
// as many wait as the listener's backlog says.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** More than Node's own backlog of 511. */
const MANY = 1_000

/** Milliseconds: a client whose first packet is dropped sends it again after 1,000, which must not hide that. */
const DEADLINE = 900

/** Connects, and prints how many connections stand once all do, or the deadline has passed. */
const CLIENTS = `
const { connect } = require('node:net')
const [count, where] = JSON.parse(process.argv[1])
let connected = 0
const end = () => { console.log(connected); process.exit() }
for (let i = 0; i < count; i++) {
  connect(where, () => { if (++connected === count) end() }).on('error', () => undefined)
}
setTimeout(end, ${DEADLINE})`

/** Connections that the kernel lets wait here for a listener with the largest backlog, up to 1,000. */
export function most(): number {
  return Math.min(MANY, Number(readFileSync('/proc/sys/net/core/somaxconn', 'latin1')))
}

/** How many of so many connections stand at once. This process stands still meanwhile. */
export function connectedAtOnce(
  where: { readonly port: number; readonly host?: string } | { readonly path: string },
  count: number = most(),
): number {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', CLIENTS, JSON.stringify([count, where])])
  if (stderr.length > 0) throw new Error(String(stderr))
  return Number(stdout)
}
