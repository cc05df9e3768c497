// YAML 1.2, of which JSON is a part, with the position of each value.

import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  visit,
  type ParsedNode,
  type YAMLError,
} from 'yaml'
import { ConfigError } from './config-error.ts'
import { jsonValue } from './json.ts'

/** More than configurations need. V8 ends the process if the package exhausts the stack. */
const MAX_DEPTH = 64
/** One fault causes many others. */
const MAX_FAULTS = 20
/** A thousand services with ten aliases each; more may be an attack by nested aliases. */
const MAX_ALIASES = 10_000

const BRACKETED_ADDRESS = /(?:^|[\s,])\[[\da-f:.]*(?:%\w+)?\]:/i

type Path = readonly PropertyKey[]

interface Fault {
  readonly offset: number
  readonly message: string
}

export interface ConfigText {
  readonly value: unknown
  /** `LINE:COLUMN` of a value, or of its nearest container. */
  position(path: Path): string
}

/** @throws {ConfigError} with a line for each fault: `ORIGIN:LINE:COLUMN: ...`. */
export function parseText(text: string, origin: string): ConfigText {
  const json = jsonValue(text)
  if (json === undefined) return new YamlText(text, origin)
  let yaml: YamlText | undefined
  return { value: json.value, position: path => (yaml ??= new YamlText(text, origin)).position(path) }
}

class YamlText implements ConfigText {
  readonly value: unknown
  readonly #text: string
  readonly #origin: string
  readonly #lines = new LineCounter()
  readonly #document: Document.Parsed

  constructor(text: string, origin: string) {
    this.#text = text
    this.#origin = origin
    const tokens = new Parser(this.#lines.addNewLine).parse(text)
    const composer = new Composer({ merge: true, prettyErrors: false, uniqueKeys: isSameKey })
    const [document, second] = composer.compose(this.#bounded(tokens), true, text.length)
    this.#document = document as Document.Parsed // the second argument asks for one
    const faults = second ? [{ offset: second.range[0], message: 'it must be one document' }] : this.#faults()
    if (faults.length > 0) throw this.#error(faults)
    this.value = this.#toJS()
  }

  position(path: Path): string {
    let node: unknown = this.#document.contents
    let offset = node ? startOf(node) : 0
    for (const key of path) {
      const found = memberOf(isAlias(node) ? node.resolve(this.#document) : node, key)
      if (found === undefined) break
      offset = found.offset
      node = found.node
    }
    return this.#lineAndColumn(offset)
  }

  *#bounded(tokens: Iterable<CST.Token>): Generator<CST.Token> {
    for (const token of tokens) {
      const offset = tooDeep(token)
      if (offset !== undefined) {
        throw this.#error([{ offset, message: `it is nested more than ${String(MAX_DEPTH)} deep` }])
      }
      yield token
    }
  }

  #faults(): readonly Fault[] {
    const { errors, warnings } = this.#document
    const faults = [...errors, ...warnings].map(fault => ({
      offset: fault.pos[0],
      message: this.#messageOf(fault),
    }))
    return [...faults, ...strayAliases(this.#document)].slice(0, MAX_FAULTS)
  }

  #messageOf({ code, message, pos: [offset] }: YAMLError): string {
    if (code === 'MULTILINE_IMPLICIT_KEY')
      return 'a key must be on one line; is a comma or a # missing before it?'
    if (code !== 'DUPLICATE_KEY') return message.replace(/^./, first => first.toLowerCase())
    const key = this.#text.slice(offset).replace(/^("(?:[^"\\]|\\.)*"|[^\s:]*).*$/s, '$1')
    return `the key ${key} is there twice`
  }

  #toJS(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: MAX_ALIASES })
    } catch {
      throw this.#error([{ offset: 0, message: 'its aliases stand for too much' }])
    }
  }

  #error(faults: readonly Fault[]): ConfigError {
    const lines = this.#text.split('\n')
    const messages = faults.map(({ offset, message }) => {
      const { line } = this.#lines.linePos(offset)
      const hint = BRACKETED_ADDRESS.test(String(lines[line - 1]))
        ? '; quote addresses that start with ['
        : ''
      return `${this.#origin}:${this.#lineAndColumn(offset)}: this is not YAML: ${message}${hint}`
    })
    return new ConfigError(messages.join('\n'))
  }

  #lineAndColumn(offset: number): string {
    const { line, col } = this.#lines.linePos(offset)
    return `${String(line)}:${String(col)}`
  }
}

function strayAliases(document: Document.Parsed): readonly Fault[] {
  const anchors = new Set<string>()
  const faults: Fault[] = []
  visit(document, (_, node) => {
    if (isAlias(node)) {
      if (anchors.has(node.source)) return
      faults.push({ offset: startOf(node), message: `no anchor &${node.source} stands before the alias` })
    } else if (isNode(node) && node.anchor !== undefined) anchors.add(node.anchor)
  })
  return faults
}

/** Where a token lies too deep. */
function tooDeep(token: CST.Token): number | undefined {
  let level: readonly CST.Token[] = [token]
  for (let depth = 0; depth <= MAX_DEPTH; depth++) level = level.flatMap(partsOf)
  return level[0]?.offset
}

function partsOf(token: CST.Token): readonly CST.Token[] {
  const items = 'items' in token ? token.items : token.type === 'document' ? [{ value: token.value }] : []
  return items
    .flatMap(item => ('key' in item ? [item.key, item.value] : [item.value]))
    .filter(each => each !== undefined && each !== null)
}

/** `0xE1` and `"225"` are one key of the object that follows. */
function isSameKey(one: unknown, other: unknown): boolean {
  return isScalar(one) && isScalar(other) && String(one.value) === String(other.value)
}

function memberOf(
  node: unknown,
  key: PropertyKey,
): { readonly offset: number; readonly node: unknown } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(key)]
    return item === undefined ? undefined : { offset: startOf(item), node: item }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find(each => isScalar(each.key) && String(each.key.value) === String(key))
  return pair && { offset: startOf(pair.key), node: pair.value }
}

function startOf(node: unknown): number {
  return (node as ParsedNode).range[0] // parsed nodes have one
}
