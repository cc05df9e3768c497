// Puts the lists of upstreams that `upstreamsFrom` names into their services.

import { readFileSync } from 'node:fs'
import type { Written } from './sources.ts'
import { ConfigError, type ConfigText, isObject, type JsonObject, parseText, showPath } from './text/index.ts'

/** A place in a list is one in its file. */
export function withUpstreamFiles(written: Written): Written {
  const { value, place } = written
  if (!isObject(value) || !(value['services'] instanceof Array)) return written
  const lists = listsOf(value['services'], place)
  if (lists.size === 0) return written
  const services = value['services'].map((service: unknown, at) => {
    const list = lists.get(at)
    return list ? { ...(service as JsonObject), upstreams: list.value } : service // it names the list
  })
  return {
    value: { ...value, services },
    place: path => {
      const [section, at, key, ...inner] = path
      const list = section === 'services' && key === 'upstreams' ? lists.get(at) : undefined
      return list ? [list.at(inner), showPath(inner)].filter(Boolean).join(': ') : place(path)
    },
  }
}

interface List {
  readonly value: unknown
  readonly at: (path: readonly PropertyKey[]) => string
}

/** By the index of their service. */
function listsOf(services: readonly unknown[], place: Written['place']): ReadonlyMap<unknown, List> {
  const files = new Map<string, ConfigText>()
  const faults: string[] = []
  const lists = services.flatMap((service, at): readonly (readonly [number, List])[] => {
    const file = isObject(service) ? service['upstreamsFrom'] : undefined
    if (!isObject(service) || typeof file !== 'string') return []
    const where = place(['services', at, 'upstreamsFrom'])
    const other = ['upstream', 'upstreams'].find(key => key in service)
    try {
      if (other !== undefined)
        throw new ConfigError(`${where} must stand without \`${other}\`; give one of the two`)
      const text = files.get(file) ?? textOf(file, where)
      files.set(file, text)
      return [[at, { value: text.value, at: path => `${file}:${text.position(path)}` }]]
    } catch (error) {
      faults.push((error as ConfigError).message) // nothing else is thrown here
      return []
    }
  })
  if (faults.length > 0) throw new ConfigError([...new Set(faults)].join('\n'))
  return new Map(lists)
}

function textOf(file: string, where: string): ConfigText {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`${where} must be a file with a list of upstreams: ${(error as Error).message}`) // of the file system
  }
  return parseText(text, file)
}
