// Reads JSON (RFC 8259) with positions. JSON.parse() gives a position for some faults only, differently in every line
// of Node, and silently takes the last of two equal keys.

import { ConfigError } from './config-error.ts'

/** More than configurations need, and far less than the stack can take. */
const MAX_DEPTH = 64

const WHITESPACE = /[ \t\r\n]*/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /[\w$]+/y

const HINTS = new Map([
  ['/', '; JSON has no comments'],
  ['#', '; JSON has no comments'],
  ["'", '; JSON has double quotes'],
])

type Path = readonly PropertyKey[]

export interface JsonText {
  readonly value: unknown
  position(path: Path): string
}

/** @throws {ConfigError} naming the first fault with line and column. */
export function parseJson(text: string, origin: string): JsonText {
  const reader = new JsonReader(text.replace(/^\uFEFF/, ' '), origin)
  return { value: reader.read(), position: path => reader.position(path) }
}

class JsonReader {
  readonly #text: string
  readonly #origin: string
  readonly #offsets = new Map<string, number>()
  #at = 0

  constructor(text: string, origin: string) {
    this.#text = text
    this.#origin = origin
  }

  read(): unknown {
    const value = this.#value([])
    if (this.#next() !== '') throw this.#fault('nothing may follow the end')
    return value
  }

  position(path: Path): string {
    const offset = this.#offsets.get(keyOf(path))
    return offset === undefined ? this.position(path.slice(0, -1)) : this.#lineAndColumn(offset)
  }

  #value(path: Path): unknown {
    const first = this.#next()
    if (!this.#offsets.has(keyOf(path))) this.#offsets.set(keyOf(path), this.#at) // a member starts at its key
    if (path.length > MAX_DEPTH) throw this.#fault(`it is nested more than ${String(MAX_DEPTH)} deep`)
    if (first === '{') return this.#object(path)
    if (first === '[') return this.#array(path)
    if (first === '"') return this.#string()
    const number = this.#match(NUMBER)
    if (number !== undefined) return this.#number(number)
    return this.#word()
  }

  #object(path: Path): unknown {
    const members: (readonly [string, unknown])[] = []
    this.#list('}', () => {
      if (this.#next() !== '"') throw this.#fault('a key in double quotes belongs here')
      const start = this.#at
      const key = this.#string()
      const inner = [...path, key]
      if (members.some(([other]) => other === key)) {
        throw this.#fault(`the key ${JSON.stringify(key)} is there twice`, start)
      }
      this.#offsets.set(keyOf(inner), start)
      if (this.#next() !== ':') throw this.#fault('a colon belongs here, between the key and its value')
      this.#at++
      members.push([key, this.#value(inner)])
    })
    return Object.fromEntries(members)
  }

  #array(path: Path): unknown {
    const elements: unknown[] = []
    this.#list(']', () => {
      elements.push(this.#value([...path, elements.length]))
    })
    return elements
  }

  #list(end: string, read: () => void): void {
    this.#at++
    if (this.#next() !== end) this.#separated(end, read)
    this.#at++
  }

  #separated(end: string, read: () => void): void {
    for (;;) {
      read()
      const next = this.#next()
      if (next === end) return
      if (next !== ',') throw this.#fault(`a comma or "${end}" belongs here`)
      const comma = this.#at++
      if (this.#next() === end) throw this.#fault('no comma belongs behind the last one', comma)
    }
  }

  #string(): string {
    const literal = this.#match(STRING)
    if (literal === undefined) {
      throw this.#fault(
        'the text that begins here does not end in its line, or has a wrong escape with "\\" in it',
      )
    }
    return JSON.parse(literal) as string // the pattern matches JSON strings only
  }

  #number(literal: string): number {
    const word = this.#match(WORD)
    if (word === undefined) return Number(literal)
    const start = this.#at - literal.length - word.length
    throw this.#fault(
      `${JSON.stringify(literal + word)} is not a number: write plain decimal digits, without a unit`,
      start,
    )
  }

  #word(): unknown {
    const start = this.#at
    const word = this.#match(WORD)
    if (word === 'true' || word === 'false') return word === 'true'
    if (word === 'null') return null
    if (word !== undefined) {
      throw this.#fault(`${JSON.stringify(word)} means nothing here: text stands in double quotes`, start)
    }
    throw this.#fault('a value belongs here')
  }

  #next(): string {
    this.#match(WHITESPACE)
    return this.#text.charAt(this.#at)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #fault(problem: string, at = this.#at): ConfigError {
    const found = this.#text.charAt(at)
    const what = found === '' ? 'the text ends here' : `here is ${JSON.stringify(found)}`
    const where = `${this.#origin}:${this.#lineAndColumn(at)}`
    return new ConfigError(`${where}: this is not JSON: ${problem} (${what}${HINTS.get(found) ?? ''})`)
  }

  #lineAndColumn(offset: number): string {
    const before = this.#text.slice(0, offset)
    return `${String(before.split('\n').length)}:${String(before.length - before.lastIndexOf('\n'))}`
  }
}

/** Unique, whatever the keys contain. */
function keyOf(path: Path): string {
  return JSON.stringify(path)
}
