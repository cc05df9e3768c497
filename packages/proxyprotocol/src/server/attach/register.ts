/**
 * Attaches to the servers of a process from outside: `node --import proxyprotocol/register app.js`. It reads
 * PROXYPROTOCOL_TRUST, PROXYPROTOCOL_PORTS and PROXYPROTOCOL_VERSION.
 *
 * @module proxyprotocol/register
 */

// Node announces each listening server on this documented channel, before it can accept.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { writeSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { isClaimed } from '../socket/index.ts'
import { attach } from './attach.ts'
import { hasPort, type PortRange, registerSettings, type RegisterSettings } from './register-settings.ts'

const STDERR = 2
const EXIT_CODE = 2
const ANNOUNCED = 'tracing:net.server.listen:asyncStart'
const LISTENS = 'tracing:net.server.listen:asyncEnd'
const VARIABLES = 'proxyprotocol.register'

try {
  start(registerSettings(variables()))
} catch (error) {
  say((error as Error).message) // only errors are thrown
  process.exit(EXIT_CODE)
}

/** The process's own, because a worker may have another environment. */
function variables(): Readonly<Record<string, string | undefined>> {
  const inherited = getEnvironmentData(VARIABLES) as typeof process.env | undefined // set below
  const { PROXYPROTOCOL_TRUST, PROXYPROTOCOL_PORTS, PROXYPROTOCOL_VERSION } = { ...process.env, ...inherited }
  const own = { PROXYPROTOCOL_TRUST, PROXYPROTOCOL_PORTS, PROXYPROTOCOL_VERSION }
  setEnvironmentData(VARIABLES, own)
  return own
}

function start(settings: RegisterSettings): void {
  if (!announcesServers()) {
    throw new Error('this runtime does not announce its servers; call attach() or front() in the program')
  }
  if ('deno' in process.versions)
    say('servers of Deno.serve() read no headers, those of node:net, http and so on do')
  const silent = new Set<PortRange>(settings.ports === 'all' ? [] : settings.ports)
  let heard = false
  subscribe(LISTENS, message => {
    const { server } = message as { server: Server } // documented
    heard = noteListening(server, silent) || heard
    // Two ticks later: the program may attach by itself, and node:cluster replaces the handle. Connections come after
    // all ticks.
    process.nextTick(() => process.nextTick(attachTo, server, settings))
  })
  process.on('exit', () => {
    if (heard && silent.size > 0)
      say(`no server has listened on ${[...silent].map(({ text }) => text).join(', ')}`)
  })
}

/** Bun announces no servers: try a path that cannot be listened on. */
function announcesServers(): boolean {
  let isAnnounced = false
  const onAnnounced = (): void => {
    isAnnounced = true
  }
  subscribe(ANNOUNCED, onAnnounced)
  const path = '/proxyprotocol-register/no-such-folder/socket'
  createServer()
    .on('error', () => undefined)
    .listen({ path, exclusive: true })
  unsubscribe(ANNOUNCED, onAnnounced)
  return isAnnounced
}

function noteListening(server: Server, silent: Set<PortRange>): boolean {
  const { port } = Object(server.address()) as { port?: number } // a UNIX socket has none
  if (port === undefined) return false
  for (const range of silent) if (hasPort(range, port)) silent.delete(range)
  return true
}

function attachTo(server: Server, settings: RegisterSettings): void {
  if (isClaimed(server) || !server.listening || !isWanted(server, settings)) return
  attach(server, settings.options)
  const { trust } = settings.options
  say(`the server on ${placeOf(server)} reads headers of ${String(trust)}`)
}

/** UNIX sockets only if `trust` lists them: they have no port, and usually serve the machine itself. */
function isWanted(server: Server, { ports, options }: RegisterSettings): boolean {
  const address = server.address() as AddressInfo | string // it listens
  if (typeof address === 'string') return ports === 'all' && options.trust.includes('unix')
  return ports === 'all' || ports.some(range => hasPort(range, address.port))
}

function placeOf(server: Server): string {
  const where = server.address() as AddressInfo | string // it listens
  if (typeof where === 'string') return where
  const { address, port } = where
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Synchronous, because the process may exit at once. */
function say(line: string): void {
  try {
    writeSync(STDERR, `proxyprotocol/register: ${line}\n`)
  } catch {
    // its reader is gone
  }
}
