// A UDP socket that takes datagrams of one upstream only.

import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { ProxyProtocolError, type InetEndpoint } from 'proxyprotocol'

/** Node asks `dns.lookup` about addresses too, for each datagram. */
export function answerAtOnce(...[host, , callback]: Parameters<NonNullable<SocketOptions['lookup']>>): void {
  callback(null, host, isIPv6(host) ? 6 : 4)
}

/**
 * @param source the local address.
 * @throws ProxyProtocolError
 */
export function connectedSocket(to: InetEndpoint, source: string | undefined): Promise<Socket> {
  const isV6 = to.address.includes(':')
  const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', lookup: answerAtOnce })
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.close()
      reject(datagramFault(error))
    }
    socket.once('error', fail)
    // `exclusive`: a worker would get its port from the main process, and share it.
    socket.bind({ port: 0, address: source ?? (isV6 ? '::' : '0.0.0.0'), exclusive: true }, () => {
      socket.connect(to.port, to.address, ((error?: Error) => {
        if (error) return fail(error)
        socket.off('error', fail)
        resolve(socket)
      }) as () => void) // Node's type leaves the error out
    })
  })
}

/** Datagrams of strangers that came before connect() wait in the kernel, and arrive after it. */
export function onReply(socket: Socket, take: (bytes: Buffer) => void): void {
  const upstream = socket.remoteAddress()
  socket.on('message', (bytes, { address, port }) => {
    if (port === upstream.port && address === upstream.address) take(bytes)
  })
}

export function datagramFault(cause: NodeJS.ErrnoException): ProxyProtocolError {
  const isRefused = cause.code === 'ECONNREFUSED'
  return new ProxyProtocolError(isRefused ? 'connect_refused' : 'connect_error', {
    detail: cause.message,
    cause,
  })
}
