// Arguments and variables are laid over the file, and the whole is checked once, so a flag and its key cannot differ.

import { configSchema, type Configuration, type ServiceInit } from './schema/index.ts'
import { type Setting, settings } from './settings.ts'
import { checked, parseText, type Problem, showPath } from './text/index.ts'

export interface Override {
  readonly setting: Setting
  readonly value: unknown
  readonly name: string
}

export interface Additions {
  readonly services?: readonly ServiceInit[]
  readonly overrides?: readonly Override[]
}

const ENDS = [
  ['listen', 'SOURCE'],
  ['upstream', 'DEST'],
  ['upstreams', 'DEST'],
] as const

type Json = Readonly<Record<string, unknown>>

/**
 * Reads the configuration of `proxyprotocol-server`: the text of a YAML or JSON file, or its data.
 *
 * @param origin the name of the file, for messages.
 * @throws {ConfigError} with a line for each fault: the place, what it must be, and the value.
 * @example
 * ```ts run
 * import { createRelay, parseConfig } from 'proxyprotocol-server'
 *
 * const { services } = parseConfig('{ "services": [{ "listen": ":10000", "upstream": "127.0.0.1:10007" }] }')
 * const relays = services.map(service => createRelay(service))
 * ```
 */
export function parseConfig(source: unknown, origin = 'configuration'): Configuration {
  return combineConfig(source, origin)
}

export function combineConfig(source: unknown, origin: string, additions: Additions = {}): Configuration {
  const text = typeof source === 'string' ? parseText(source, origin) : undefined
  const written = text ? text.value : source
  return checked(configSchema, overlaid(written, additions), problem => {
    const name = additionAt(problem, written, additions)
    if (name !== undefined) return name
    const at = text ? `${origin}:${text.position(problem.path)}` : origin
    return [at, showPath(problem.path)].filter(Boolean).join(': ')
  })
}

function overlaid(written: unknown, { services = [], overrides = [] }: Additions): unknown {
  if (!isObject(written)) return written
  const listed = written['services'] ?? (services.length > 0 ? [] : undefined)
  const all = listed instanceof Array ? [...(listed as unknown[]), ...services] : listed
  const ofService = overrides.filter(({ setting }) => setting.ofService)
  const ofProgram = overrides.filter(({ setting }) => !setting.ofService)
  const overlaidServices = all instanceof Array ? all.map(service => withSettings(service, ofService)) : all
  return withSettings(all === undefined ? written : { ...written, services: overlaidServices }, ofProgram)
}

function withSettings(written: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce((before, { setting, value }) => withValue(before, setting.path, value), written)
}

/** Anything but an object stays, and the check refuses it. */
function withValue(written: unknown, [key = '', ...rest]: readonly string[], value: unknown): unknown {
  if (!isObject(written)) return written
  return { ...written, [key]: rest.length === 0 ? value : withValue(written[key] ?? {}, rest, value) }
}

function additionAt(
  { path }: Problem,
  written: unknown,
  { services = [], overrides = [] }: Additions,
): string | undefined {
  const [first, index, ...inner] = path
  const inService = first === 'services' && typeof index === 'number'
  const where = showPath(inService ? inner : path)
  const override = overrides.findLast(
    ({ setting }) => setting.ofService === inService && showPath(setting.path) === where,
  )
  if (override) return override.name
  const listed = isObject(written) && written['services'] instanceof Array ? written['services'].length : 0
  if (!inService || index < listed || services.length === 0) return undefined
  const missing = settings().find(({ ofService, path: keys }) => ofService && showPath(keys) === where)
  if (missing) return `--${missing.flag}`
  return ['--service', ...ENDS.flatMap(([key, name]) => (key === inner[0] ? [name] : []))].join(' ')
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !(value instanceof Array)
}
