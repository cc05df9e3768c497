// Sockets that a service manager has opened for the program, as systemd does: descriptors from 3 on, described by the
// variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.

import { Socket, type AddressInfo } from 'node:net'
import { addressKey, canonicalHost, ConfigError, type Service } from '../../config/index.ts'
import { showEndpoint } from '../../log/index.ts'
import type { ProgramIo } from '../program.ts'

/** The first one: 0 to 2 are standard input, output and error. */
const FIRST = 3

/** A socket that listens already. */
export interface InheritedSocket {
  readonly fd: number
  /** What it is called by whoever opened it. */
  readonly name: string | undefined
  /** Undefined for what is no TCP socket. */
  readonly address: Pick<AddressInfo, 'address' | 'port'> | undefined
}

/**
 * The sockets that were passed to this very process.
 *
 * @throws ConfigError when the variables are wrong, or one of the descriptors is no socket.
 */
export function inheritedSockets(
  env: ProgramIo['env'],
  { pid = process.pid, first = FIRST }: { readonly pid?: number; readonly first?: number } = {},
): readonly InheritedSocket[] {
  const { LISTEN_PID, LISTEN_FDS = '', LISTEN_FDNAMES } = env
  // As sd_listen_fds() has it: variables for another process were meant for the one that started this one.
  if (LISTEN_PID === undefined || Number(LISTEN_PID) !== pid) return []
  const count = Number(LISTEN_FDS)
  if (!/^\d+$/.test(LISTEN_FDS) || count > 1_000) {
    throw new ConfigError(`LISTEN_FDS must be a number of descriptors, got ${JSON.stringify(LISTEN_FDS)}`)
  }
  const names = LISTEN_FDNAMES === undefined ? [] : LISTEN_FDNAMES.split(':')
  if (LISTEN_FDNAMES !== undefined && names.length !== count) {
    throw new ConfigError(
      `LISTEN_FDNAMES must have a name for each of ${LISTEN_FDS}, got ${JSON.stringify(LISTEN_FDNAMES)}`,
    )
  }
  return Array.from({ length: count }, (_, i) => ({
    fd: first + i,
    name: names[i],
    address: addressOf(first + i),
  }))
}

/**
 * Which service each socket is for, by the name of the service: that of its name, or else of its address.
 *
 * @throws ConfigError that names those that are for none.
 */
export function assignSockets(
  sockets: readonly InheritedSocket[],
  services: readonly Service[],
): ReadonlyMap<string, InheritedSocket> {
  const assigned = new Map<string, InheritedSocket>()
  const left: InheritedSocket[] = []
  for (const socket of sockets) {
    const free = services.filter(({ name }) => !assigned.has(name))
    const service = free.find(({ name }) => name === socket.name) ?? free.find(each => isAt(each, socket))
    if (service) assigned.set(service.name, socket)
    else left.push(socket)
  }
  if (left.length === 0) return assigned
  throw new ConfigError(
    `no service is at, or has the name of, what the service manager has opened: ${left.map(describe).join(', ')}`,
  )
}

/**
 * Who has the sockets after a change of the services, by name: whoever listens where their owner did. Others are closed.
 *
 * @param sockets by the names of the services before.
 */
export function inheritedBy(
  sockets: ReadonlyMap<string, InheritedSocket>,
  before: readonly Service[],
  after: readonly Service[],
): ReadonlyMap<string, InheritedSocket> {
  const byKey = new Map(before.map(service => [addressKey(service.listen), sockets.get(service.name)]))
  return new Map(
    after.flatMap(service => {
      const socket = byKey.get(addressKey(service.listen))
      return socket ? [[service.name, socket] as const] : []
    }),
  )
}

function isAt({ listen }: Service, { address: socket }: InheritedSocket): boolean {
  if (listen.transport === 'unix') return false // Node does not tell where a UNIX socket is
  const { host, port } = listen
  if (port !== socket?.port) return false
  if (host === undefined) return socket.address === '::' || socket.address === '0.0.0.0'
  if (host === 'localhost') return socket.address === '::1' || socket.address === '127.0.0.1'
  return canonicalHost(host) === canonicalHost(socket.address)
}

/**
 * Node tells a socket's own address only of its own objects. This one reads nothing; it must not be closed either, which would
 * close the descriptor that is to be listened at.
 */
function addressOf(fd: number): InheritedSocket['address'] {
  try {
    const address = new Socket({ fd, readable: false }).address() as Partial<AddressInfo> // {} where it is no TCP socket
    if (address.address === undefined || address.port === undefined) return undefined
    return { address: address.address, port: address.port }
  } catch (error) {
    throw new ConfigError(
      `LISTEN_FDS names descriptor ${fd}, which is no socket: ${(error as Error).message}`,
    )
  }
}

function describe({ fd, name, address }: InheritedSocket): string {
  const where = address && String(showEndpoint(address))
  return [`descriptor ${fd}`, name && `"${name}"`, where && `at ${where}`].filter(Boolean).join(' ')
}
