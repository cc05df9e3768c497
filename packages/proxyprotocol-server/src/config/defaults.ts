// Lays `defaults` under the services before all is checked, so that a default and a key of a service cannot differ.

import { defaultKeys, meaningless } from './schema/index.ts'
import { isObject, type JsonObject } from './text/index.ts'

/**
 * Objects are joined key by key. `trust` is left out if the service accepts no headers, `tls` if it ends no TLS, and
 * what has no meaning for UDP or TCP.
 */
export function withDefaults(service: unknown, defaults: unknown): unknown {
  if (!isObject(service) || !isObject(defaults)) return service
  const { listen } = service
  const without = [...(acceptsHeaders(listen) ? [] : ['trust']), ...(endsTls(listen) ? [] : ['tls'])]
  const keys = defaultKeys.filter(key => !without.includes(key))
  const usable = meaningless(listen).reduce(withoutPath, defaults)
  return laidUnder(service, Object.fromEntries(keys.map(key => [key, usable[key]])))
}

function withoutPath(value: JsonObject, [key = '', ...rest]: readonly string[]): JsonObject {
  const { [key]: inner, ...others } = value
  if (rest.length === 0) return others
  return isObject(inner) ? { ...others, [key]: withoutPath(inner, rest) } : value
}

/** True if a value of a service comes from `defaults`. */
export function isDefault(path: readonly PropertyKey[], service: unknown, defaults: unknown): boolean {
  return !isIn(service, path) && isIn(defaults, path)
}

/** A faulty address is reported where it is parsed. */
export function acceptsHeaders(listen: unknown): boolean {
  return [listen].flat().some(each => /[?&]pp=(?!noop(?:&|$))[^&]/i.test(String(each)))
}

function endsTls(listen: unknown): boolean {
  return [listen].flat().some(each => /^(?:ssl|tls)(?::\/\/|\+unix:)/i.test(String(each)))
}

function laidUnder(over: JsonObject, under: JsonObject): JsonObject {
  const joined = Object.entries(under).flatMap(([key, value]) => {
    const written = over[key]
    if (isObject(written) && isObject(value)) return [[key, laidUnder(written, value)] as const]
    return written === undefined && value !== undefined ? [[key, value] as const] : []
  })
  return { ...over, ...Object.fromEntries(joined) }
}

function isIn(value: unknown, [key, ...rest]: readonly PropertyKey[]): boolean {
  if (key === undefined) return value !== undefined
  return (
    typeof value === 'object' && value !== null && isIn((value as Record<PropertyKey, unknown>)[key], rest)
  ) // any key
}
