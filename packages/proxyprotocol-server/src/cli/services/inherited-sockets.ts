// Systemd's sockets: descriptors from 3 on.

import { Socket, type AddressInfo } from 'node:net'
import { addressKey, canonicalHost, ConfigError, type Service } from '../../config/index.ts'
import { showEndpoint } from '../../log/index.ts'
import type { ProgramIo } from '../program.ts'

const FIRST = 3

export interface InheritedSocket {
  readonly fd: number
  readonly name: string | undefined
  /** Undefined for UNIX sockets. */
  readonly address: Pick<AddressInfo, 'address' | 'port'> | undefined
}

export function inheritedSockets(
  env: ProgramIo['env'],
  { pid = process.pid, first = FIRST }: { readonly pid?: number; readonly first?: number } = {},
): readonly InheritedSocket[] {
  const { LISTEN_PID, LISTEN_FDS = '', LISTEN_FDNAMES } = env
  // As sd_listen_fds(): the variables may be meant for a parent process.
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

/** By name, otherwise by address. */
export function assignSockets(
  sockets: readonly InheritedSocket[],
  services: readonly Service[],
): ReadonlyMap<string, InheritedSocket> {
  const assigned = new Map<string, InheritedSocket>()
  const left: InheritedSocket[] = []
  for (const socket of sockets) {
    const free = services.filter(({ name, datagrams }) => !datagrams && !assigned.has(name))
    const service = free.find(({ name }) => name === socket.name) ?? free.find(each => isAt(each, socket))
    if (service) assigned.set(service.name, socket)
    else left.push(socket)
  }
  if (left.length === 0) return assigned
  throw new ConfigError(
    `no service is at, or has the name of, what the service manager has opened: ${left.map(describe).join(', ')}`,
  )
}

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
  if (listen.transport === 'unix') return false // Node has no path of UNIX sockets
  const { host, port } = listen
  if (port !== socket?.port) return false
  if (host === undefined) return socket.address === '::' || socket.address === '0.0.0.0'
  if (host === 'localhost') return socket.address === '::1' || socket.address === '127.0.0.1'
  return canonicalHost(host) === canonicalHost(socket.address)
}

/** Node reports addresses only of its own objects. Closing this one would close the listening descriptor. */
function addressOf(fd: number): InheritedSocket['address'] {
  try {
    const address = new Socket({ fd, readable: false }).address() as Partial<AddressInfo> // {} for UNIX sockets
    if (address.address === undefined || address.port === undefined) return undefined
    return { address: address.address, port: address.port }
  } catch (error) {
    throw new ConfigError(
      `LISTEN_FDS names descriptor ${fd}, which is not a socket: ${(error as Error).message}`,
    )
  }
}

function describe({ fd, name, address }: InheritedSocket): string {
  const where = address && String(showEndpoint(address))
  return [`descriptor ${fd}`, name && `"${name}"`, where && `at ${where}`].filter(Boolean).join(' ')
}
