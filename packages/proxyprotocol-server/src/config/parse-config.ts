// The one way to a configuration: what the file says, with what stands outside it laid over it, checked as a whole and
// settled. So a flag and a key of the file cannot mean different things, nor be checked differently.

import { configSchema, type Configuration, type ServiceInit } from './schema/index.ts'
import { type Setting, settings } from './settings.ts'
import { checked, parseJson, type Problem, showPath } from './text/index.ts'

/** A setting that wins over the file. */
export interface Override {
  readonly setting: Setting
  readonly value: unknown
  /** What the user wrote it by, for messages: `--drain`. */
  readonly name: string
}

/** What stands outside the file. */
export interface Additions {
  /** Those of `--service`, which come after the file's. */
  readonly services?: readonly ServiceInit[]
  /** The last one of a setting counts. */
  readonly overrides?: readonly Override[]
}

/** Keys of a service, as `--help` calls them. */
const ENDS = [
  ['listen', 'SOURCE'],
  ['upstream', 'DEST'],
  ['upstreams', 'DEST'],
] as const

type Json = Readonly<Record<string, unknown>>

/**
 * Reads the configuration of `proxyprotocol-server`: the text of a JSON file, or what such a text stands for.
 *
 * @param origin the name of the file, for messages.
 * @throws {ConfigError} that names everything that is wrong, each on a line, with the place, the value that was found and
 * what is wanted.
 *
 * @example
 * ```ts run
 * import { createRelay, parseConfig } from 'proxyprotocol-server'
 *
 * const { services } = parseConfig('{ "services": [{ "listen": ":10000", "upstream": "127.0.0.1:10007" }] }')
 * const relays = services.map(service => createRelay(service))
 * ```
 */
export function parseConfig(json: unknown, origin = 'configuration'): Configuration {
  return combineConfig(json, origin)
}

/**
 * As {@link parseConfig}, with what stands outside the file.
 *
 * @throws {ConfigError} as there; what is wrong with an addition has its name.
 */
export function combineConfig(json: unknown, origin: string, additions: Additions = {}): Configuration {
  const text = typeof json === 'string' ? parseJson(json, origin) : undefined
  const written = text ? text.value : json
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

/** What is no object stays as it is, and is found wrong. */
function withValue(written: unknown, [key = '', ...rest]: readonly string[], value: unknown): unknown {
  if (!isObject(written)) return written
  return { ...written, [key]: rest.length === 0 ? value : withValue(written[key] ?? {}, rest, value) }
}

/** What was added at the place of a problem, as its user knows it. */
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
