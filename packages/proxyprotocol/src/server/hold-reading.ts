// What `pauseOnConnect` does to a socket, done to one whose header has been read: the kernel keeps what comes next, so that the
// socket can be sent to another process.

import type { Socket } from 'node:net'

/** Undocumented, and in every line of Node. */
interface Held extends Socket {
  readonly _readableState: { reading: boolean }
  readonly _handle?: { reading?: boolean; readStop(): number } | null
}

/** Pauses a socket, and leaves what comes next with the kernel until the socket flows or somebody listens to 'readable'. */
export function holdReading(socket: Socket): void {
  socket.pause()
  const { _handle: handle, _readableState: state } = socket as Held // asked for what it has before it is used
  if (typeof handle?.reading !== 'boolean') return // Bun pauses a socket in its own way
  handle.reading = false
  handle.readStop()
  state.reading = false // whoever wants bytes has to ask for them again
  socket._read = readWhenWanted
}

/** To take what the buffer holds asks for more as well: a program does so before it sends the socket to another process. */
function readWhenWanted(this: Socket, size: number): void {
  if (this.readableFlowing || this.listenerCount('readable') > 0) {
    delete (this as Partial<Socket>)._read // that of its class again
    this._read(size)
  } else {
    ;(this as Held)._readableState.reading = false
  }
}
