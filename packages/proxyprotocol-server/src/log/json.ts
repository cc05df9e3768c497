// In ASCII: neither control characters nor letters that reorder text reach a terminal.

import {
  asciiOnly,
  hexOf,
  type LogFields,
  type LogValue,
  MAX_LINE_LENGTH,
  PLAIN_WORD,
  quoted,
} from './text.ts'

/** `warn` for refused connections, `error` for faults of this program, `fatal` for its end. */
export type LogLevel = 'info' | 'warn' | 'error' | 'fatal'

/** Everything but the fields. */
const FRAME_LENGTH = 160

export function formatJson(level: LogLevel, event: string, fields: LogFields): string {
  const object = objectOf(fields, MAX_LINE_LENGTH - FRAME_LENGTH)
  return asciiOnly(JSON.stringify({ level, time: new Date().toISOString(), ...object, event }))
}

type JsonValue = string | number | boolean

function objectOf(fields: LogFields, limit: number): Record<string, JsonValue | JsonValue[]> {
  const object: Record<string, JsonValue | JsonValue[]> = {}
  let room = limit
  let leftOut = 0
  for (const [key, value] of fields) {
    if (value === undefined) continue
    const shown = fitting(jsonValue(value), room - key.length - 4)
    if (shown === undefined) {
      leftOut++
      continue
    }
    room -= key.length + 4 + lengthOf(shown)
    const before = object[key]
    object[key] = before === undefined ? shown : [before, shown].flat()
  }
  return leftOut === 0 ? object : { ...object, leftOut }
}

/** Not every reader of JSON takes big integers whole. */
function jsonValue(value: Exclude<LogValue, undefined>): JsonValue {
  if (value instanceof Uint8Array) return hexOf(value)
  return typeof value === 'bigint' ? String(value) : value
}

function lengthOf(value: JsonValue): number {
  if (typeof value !== 'string') return String(value).length
  return PLAIN_WORD.test(value) ? value.length + 2 : quoted(value).length
}

function fitting(value: JsonValue, room: number): JsonValue | undefined {
  const length = lengthOf(value)
  if (length <= room) return value
  if (typeof value !== 'string') return undefined
  for (let text = value; text !== ''; text = text.slice(0, text.length / 2)) {
    if (quoted(text).length + 3 <= room) return `${text}...`
  }
  return undefined
}
