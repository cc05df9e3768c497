// Connects a member without a socket.

import type { InetEndpoint } from 'proxyprotocol'
import type { TcpAddress } from '../../config/index.ts'
import type { Member } from './member.ts'
import type { Dialled, DialRequest } from './upstream-request.ts'

/** Undefined if its name had to be resolved first. */
export async function dialMember(
  member: Member,
  request: DialRequest,
  timeout: number,
): Promise<Dialled | undefined> {
  const { signal, route, owner } = request
  const { settings } = member
  if (member.resolve) {
    await member.resolved({ timeout, signal })
    return undefined
  }
  const { address, port } = targetOf(member)
  const target = { address, port, source: settings.source, timeout, settings }
  const dialled = await member.attempt(() => request.dial(target), owner)
  route.upstreamAddress = member.endpoint ?? dialled.upstreamEnd
  return dialled
}

function targetOf({ endpoint, settings }: Member): InetEndpoint {
  if (endpoint && 'address' in endpoint) return endpoint
  const { host, port } = settings.address as TcpAddress // handles are for TCP
  return { address: String(host), port }
}
