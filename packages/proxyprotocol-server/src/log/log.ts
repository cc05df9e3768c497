// A full disk and a slow or closed reader cost lines and never a connection.

import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type { LogFormat } from '../config/index.ts'
import { formatJson, type LogLevel } from './json.ts'
import { formatLine, type LogFields } from './text.ts'

export const logFormats: readonly LogFormat[] = ['text', 'json']

/** Some thousand lines for a slow reader. */
const MAX_WAITING_BYTES = 1024 * 1024
const LINE_FEED = 0x0a

export type LogWriter = (text: string, onLost: () => void) => void

export class Log {
  format: LogFormat = 'text'
  readonly #write: LogWriter
  #lost = 0
  #untold = 0

  constructor(write: LogWriter) {
    this.#write = write
  }

  get lost(): number {
    return this.#lost
  }

  write(event: string, fields: LogFields, level: LogLevel = 'info'): void {
    this.pass(this.line(event, fields, level))
  }

  pass(line: string): void {
    if (this.#untold > 0) this.#report(this.#untold)
    this.#write(line, this.#onLost)
  }

  #report(lines: number): void {
    this.#untold -= lines
    this.#write(this.line('lost', [['lines', lines]], 'warn'), () => {
      this.#untold += lines
    })
  }

  readonly #onLost = (): void => {
    this.#lost++
    this.#untold++
  }

  line(event: string, fields: LogFields, level: LogLevel): string {
    const line =
      this.format === 'json' ? formatJson(level, event, fields) : formatLine(new Date(), event, fields)
    return `${line}\n`
  }
}

/** For standard output, which Node opens as a socket unless it is a file. */
export function writerTo(stream: Writable & { readonly fd: number }): LogWriter {
  return stream instanceof Socket ? streamWriter(stream) : fileWriter(stream.fd)
}

/** Node's own stream for files takes a short write for a whole one, and a full disk makes short writes. */
export function fileWriter(fd: number): LogWriter {
  let torn = false
  return (text, onLost) => {
    const bytes = Buffer.from(torn ? `\n${text}` : text)
    let written = 0
    try {
      written = writeSync(fd, bytes)
    } catch {
      // The disk is full, or the file is gone: nothing was written.
    }
    if (written > 0) torn = bytes[written - 1] !== LINE_FEED
    if (written < bytes.length) onLost()
  }
}

/**
 * Node buffers without a limit and joins waiting texts. Here each text goes in one piece that a pipe takes, because
 * other processes may write to it.
 */
export function streamWriter(stream: Writable, limit: number = MAX_WAITING_BYTES): LogWriter {
  const waiting: { readonly text: string; readonly onLost: () => void }[] = []
  let length = 0
  function writeFirst(): void {
    const [first] = waiting
    if (first) stream.write(first.text, onWritten)
  }
  function onWritten(error?: Error | null): void {
    const { text, onLost } = waiting.shift() as (typeof waiting)[number] // the one that was written
    length -= text.length
    if (error) onLost()
    writeFirst()
  }
  return (text, onLost) => {
    if (!stream.writable || length + text.length > limit) return onLost()
    length += text.length
    if (waiting.push({ text, onLost }) === 1) writeFirst()
  }
}
