// How sockets come of accepted handles. Node 20 adds to the options object that its own way gives to `new Socket()`, and is
// slow with each object of that kind: more than a tenth of what a short connection costs. With all options named it has
// nothing to add.

import { channel } from 'node:diagnostics_channel'
import { Socket, type Server } from 'node:net'

/** What a server listens with; undocumented, and in every line of Node. */
interface ListeningHandle {
  onconnection?: (status: number, accepted: AcceptedHandle | undefined) => void
}

/** What libuv has accepted; Bun's handles, of another kind, have no such method. */
interface AcceptedHandle {
  readStart?: unknown
}

/** Where an accepted socket keeps what it is of. */
interface Accepted extends Socket {
  server?: Server
  _server?: Server
}

/** What Node tells of each accepted socket, for whoever traces servers. */
const socketChannel = channel('net.server.socket')

/**
 * Makes a listening server, which has half-open sockets without delay and no limit on connections, make its sockets the
 * quick way. They are what they would be otherwise, and its 'connection' and 'error' events as well.
 *
 * @returns false, and nothing has changed, where a runtime has no such handle to listen with.
 */
export function acceptQuickly(server: Server): boolean {
  const { _handle: handle } = server as { _handle?: ListeningHandle | null }
  if (typeof handle?.onconnection !== 'function') return false
  const { onconnection } = handle
  const counted = server as Server & { _connections: number } // Node counts them down
  handle.onconnection = function (status, accepted): void {
    if (accepted?.readStart === undefined) return onconnection.call(this, status, accepted)
    const socket: Accepted = new Socket(settingsOf(accepted))
    socket.setNoDelay()
    counted._connections++
    socket.server = socket._server = server
    server.emit('connection', socket)
    if (socketChannel.hasSubscribers) socketChannel.publish({ socket })
  }
  return true
}

/** A literal, for all to have one hidden class. The last three are Node's own, which it would add. */
function settingsOf(handle: AcceptedHandle): ConstructorParameters<typeof Socket>[0] {
  const settings = {
    handle,
    allowHalfOpen: true,
    readable: true,
    writable: true,
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
  }
  return settings // Node's types leave out what they do not document
}
