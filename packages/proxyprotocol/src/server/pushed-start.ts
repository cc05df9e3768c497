// The start of a connection as it comes, before the socket has it in its buffer: Node hands what it reads to the socket's
// push(), and one of ours stands before that until the header is complete. Node does not promise it; the public way, which
// reads a stream and gives it bytes back, is there wherever it has not been seen to work.

import { Socket } from 'node:net'
import { pullStart } from './read-header.ts'
import { StartReader, type StartRules, type StartWaiter } from './read-start.ts'

const NOTHING = new Uint8Array()
/** Whether sockets here give what they read to a push() of their own; the first of the process is read publicly, and shows it. */
let shown = false

/** The same as `pullStart` for a socket that was just accepted, and that nobody else knows yet. */
export function takeStart(socket: Socket, rules: StartRules, waiter: StartWaiter): void {
  if (!(socket instanceof Socket)) return pullStart(socket, rules, waiter)
  if (shown && isUntouched(socket)) return new PushedReader(socket, rules, waiter).start()
  if (!shown) watch(socket)
  pullStart(socket, rules, waiter)
}

/** Nothing was read of it, and reading has begun, which a server with `pauseOnConnect` leaves to whoever resumes. */
function isUntouched({ readableLength, readableFlowing, readableEnded }: Socket): boolean {
  return readableLength === 0 && readableFlowing === null && !readableEnded
}

function watch(socket: Socket): void {
  socket.push = chunk => {
    unhook(socket)
    shown = chunk !== null // a FIN says nothing of bytes
    return socket.push(chunk)
  }
}

/** The socket has the push() of its class again. */
function unhook(socket: Socket): void {
  delete (socket as { push?: Socket['push'] }).push
}

class PushedReader extends StartReader {
  /** What push() has to answer: whether more may come. */
  #goOn = true

  protected open(): void {
    this.socket.push = this.#onPush
  }

  protected shut(): void {
    unhook(this.socket)
  }

  /** It is the first to get into the buffer. */
  protected putBack(rest: Uint8Array): Uint8Array {
    if (rest.length > 0) this.#goOn = this.socket.push(rest)
    return NOTHING
  }

  readonly #onPush = (chunk: Uint8Array | null): boolean => {
    if (chunk !== null) {
      this.take(chunk)
      return this.#goOn
    }
    this.onEnd()
    return this.socket.push(null)
  }
}
