/**
 * Attaches to the servers of a process from outside: `node --import proxyprotocol/register app.js`. It reads
 * PROXYPROTOCOL_TRUST, PROXYPROTOCOL_PORTS and PROXYPROTOCOL_VERSION.
 *
 * @module proxyprotocol/register
 */

// Node announces each server that listens on a documented diagnostics channel, before it can accept a connection.

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
  say((error as Error).message) // whatever is wrong is thrown as one
  process.exit(EXIT_CODE)
}

/** Those of the process, which its workers inherit: a worker may be started with another environment. */
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
    // Not yet: the program may attach by itself, and node:cluster takes the handle of its own server away. The connections
    // come after all ticks.
    process.nextTick(() => process.nextTick(attachTo, server, settings))
  })
  process.on('exit', () => {
    if (heard && silent.size > 0)
      say(`no server has listened on ${[...silent].map(({ text }) => text).join(', ')}`)
  })
}

/** Tries a path that cannot be listened on. Bun announces no servers. */
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

/** True for a server on a port, which is silent no longer. */
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

/** UNIX sockets have no port: programs use them inside of a machine, unless the list of trust has them. */
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

/** At once, because the process may be about to exit; a program whose stderr is gone goes on. */
function say(line: string): void {
  try {
    writeSync(STDERR, `proxyprotocol/register: ${line}\n`)
  } catch {
    // its reader is gone
  }
}
