// The log of a program: lines of text or JSON, handed on one by one. A reader that is slow or gone costs lines and never
// a connection: what was lost is counted, and said as soon as a line gets through again.

import { Writable } from 'node:stream'
import type { LogFormat } from '../config/index.ts'
import { JsonLines, type LogLevel } from './log-json.ts'
import { formatLine, type LogFields } from './log.ts'

/** All of them, as the option names them. */
export const logFormats: readonly LogFormat[] = ['text', 'json']

/** Bytes that wait in this process for a reader that is slow: some thousand lines, and no memory to speak of. */
const MAX_WAITING_BYTES = 1024 * 1024

/** Takes a text at once or not at all, and says which. */
export type LogWriter = (text: string) => boolean

/** One log; its format may change while it runs. */
export class Log {
  format: LogFormat = 'text'
  readonly #write: LogWriter
  readonly #json = new JsonLines()
  #lost = 0
  #untold = 0

  constructor(write: LogWriter) {
    this.#write = write
  }

  /** Lines that nobody took. */
  get lost(): number {
    return this.#lost
  }

  /** Writes one line. */
  write(event: string, fields: LogFields, level: LogLevel = 'info'): void {
    this.pass(this.line(event, fields, level))
  }

  /** Writes what is a line already, with its line end. */
  pass(line: string): void {
    if (this.#untold > 0 && this.#write(this.line('lost', [['lines', this.#untold]], 'warn')))
      this.#untold = 0
    if (this.#write(line)) return
    this.#lost++
    this.#untold++
  }

  /** One line, with its line end. Text shows no level: there the event stands for it. */
  line(event: string, fields: LogFields, level: LogLevel): string {
    const line =
      this.format === 'json' ? this.#json.format(level, event, fields) : formatLine(new Date(), event, fields)
    return `${line}\n`
  }
}

/**
 * Writes to a stream as long as its reader keeps up. Node buffers without a limit, and a pipe that nobody reads would
 * fill the memory.
 *
 * @returns false where the text was lost: the reader is gone, or too far behind.
 */
export function writeBounded(stream: Writable, text: string, limit: number = MAX_WAITING_BYTES): boolean {
  if (!stream.writable || stream.writableLength + text.length > limit) return false
  stream.write(text)
  return true
}

/**
 * A stream to a file that other processes write to as well: each text goes in one piece, as a pipe takes it that has room for
 * it. Node writes what has waited together, and the end of that may be the middle of a line.
 */
export function wholeLines(stream: Writable): Writable {
  const lines = new Writable({
    decodeStrings: false,
    write: (line, encoding, callback) => void stream.write(line, encoding, callback),
  })
  return lines.on('error', () => undefined) // the reader is gone, and with it the log
}
