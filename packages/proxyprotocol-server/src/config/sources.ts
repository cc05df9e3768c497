// Joins the files of a configuration: services follow one another, and every other key stands in one file.

import { ConfigError, isObject, type JsonObject, parseText, showPath } from './text/index.ts'

export interface Source {
  /** The name of the file, for messages. */
  readonly origin: string
  /** Text, or data. */
  readonly content: unknown
}

type Path = readonly PropertyKey[]

export interface Written<Value = unknown> {
  readonly value: Value
  /** A path with its file and position. */
  readonly place: (path: Path) => string
}

interface Part<Value = unknown> extends Written<Value> {
  readonly origin: string
}

/** @throws {ConfigError} naming all faults of texts, and keys that stand in several files. */
export function joinSources(sources: readonly Source[]): Written {
  const parts = parsed(sources)
  const sound = parts.filter(isSound)
  const faulty = parts.find(part => !isSound(part))
  if (faulty) return faulty // the check refuses it
  const repeated = sound.flatMap((part, at) => repeatedKeys(part, sound.slice(0, at)))
  if (repeated.length > 0) throw new ConfigError(repeated.join('\n'))
  const entries = sound.flatMap(({ value }) => Object.entries(value))
  const services = sound.flatMap(servicesOf)
  const isListed = entries.some(([key]) => key === 'services')
  return {
    value: { ...Object.fromEntries(entries), ...(isListed && { services }) },
    place: placesIn(sound),
  }
}

function parsed(sources: readonly Source[]): readonly Part[] {
  const faults: string[] = []
  const parts = sources.flatMap(source => {
    try {
      return [partOf(source)]
    } catch (error) {
      faults.push((error as ConfigError).message) // it throws nothing else
      return []
    }
  })
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return parts
}

function partOf({ origin, content }: Source): Part {
  const text = typeof content === 'string' ? parseText(content, origin) : undefined
  return {
    origin,
    value: text ? text.value : content,
    place: path => {
      const at = text ? `${origin}:${text.position(path)}` : origin
      return [at, showPath(path)].filter(Boolean).join(': ')
    },
  }
}

function isSound(part: Part): part is Part<JsonObject> {
  return isObject(part.value) && (part.value['services'] ?? []) instanceof Array
}

function servicesOf({ value }: Part<JsonObject>): readonly unknown[] {
  return (value['services'] ?? []) as readonly unknown[] // isSound() has seen to it
}

function repeatedKeys(
  { value, place }: Part<JsonObject>,
  earlier: readonly Part<JsonObject>[],
): readonly string[] {
  return Object.keys(value).flatMap(key => {
    const other = earlier.find(part => key in part.value)
    if (other === undefined || key === 'services' || key === '$schema') return []
    return [`${place([key])} must stand in one file only, got it in ${other.origin} too`]
  })
}

function placesIn(parts: readonly Part<JsonObject>[]): Written['place'] {
  const owners = parts.flatMap(part => servicesOf(part).map((_, at) => ({ part, at })))
  return path => {
    const [key, index, ...inner] = path
    const owner = key === 'services' ? owners[Number(index)] : undefined
    if (owner) return owner.part.place([String(key), owner.at, ...inner])
    const [first] = parts as readonly [Part] // there is one at least
    return (parts.find(({ value }) => String(key) in value) ?? first).place(path)
  }
}
