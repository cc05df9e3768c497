// Arguments and variables are laid over the file, and the whole is checked once, so a flag and its key cannot differ.

import { configSchema, type Configuration, meaningless, type ServiceInit } from './schema/index.ts'
import { isDefault, withDefaults } from './defaults.ts'
import { type Setting, settings } from './settings.ts'
import { joinSources, type Source } from './sources.ts'
import { withUpstreamFiles } from './upstream-files.ts'
import { checked, isObject, type JsonObject, type Problem, showPath } from './text/index.ts'

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
  return combineConfig([{ origin, content: source }])
}

export function combineConfig(sources: readonly Source[], additions: Additions = {}): Configuration {
  const { value: written, place } = withUpstreamFiles(joinSources(sources))
  return checked(configSchema, overlaid(written, additions), problem => {
    const name = overrideAt(problem, additions)
    if (name !== undefined) return name
    const path = defaultAt(problem, written, additions)
    return path ? place(path) : (serviceAt(problem, written, additions) ?? place(problem.path))
  })
}

function overlaid(written: unknown, { services = [], overrides = [] }: Additions): unknown {
  if (!isObject(written)) return written
  const listed = written['services'] ?? (services.length > 0 ? [] : undefined)
  const all = listed instanceof Array ? [...(listed as unknown[]), ...services] : listed
  const ofService = overrides.filter(({ setting }) => setting.ofService)
  const ofProgram = overrides.filter(({ setting }) => !setting.ofService)
  const overlaidServices =
    all instanceof Array
      ? all.map(service =>
          withSettings(withDefaults(service, written['defaults']), suiting(service, ofService)),
        )
      : all
  return withSettings(all === undefined ? written : { ...written, services: overlaidServices }, ofProgram)
}

/** An option for connections leaves services of datagrams alone. */
function suiting(service: unknown, overrides: readonly Override[]): readonly Override[] {
  if (!isObject(service)) return overrides
  const others = meaningless(service['listen']).map(path => showPath(path))
  return overrides.filter(({ setting }) => !others.includes(showPath(setting.path)))
}

function withSettings(written: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce((before, { setting, value }) => withValue(before, setting.path, value), written)
}

/** Anything but an object stays, and the check refuses it. */
function withValue(written: unknown, [key = '', ...rest]: readonly string[], value: unknown): unknown {
  if (!isObject(written)) return written
  return { ...written, [key]: rest.length === 0 ? value : withValue(written[key] ?? {}, rest, value) }
}

function overrideAt({ path }: Problem, { overrides = [] }: Additions): string | undefined {
  const [index, inner] = splitPath(path)
  return overrides.findLast(
    ({ setting }) =>
      setting.ofService === (index !== undefined) && showPath(setting.path) === showPath(inner),
  )?.name
}

/** Where the value stands that a service has from `defaults`. */
function defaultAt(
  { path }: Problem,
  written: unknown,
  { services = [] }: Additions,
): readonly PropertyKey[] | undefined {
  const [index, inner] = splitPath(path)
  if (index === undefined || !isObject(written)) return undefined
  const service = [...listedServices(written), ...services][index]
  return isDefault(inner, service, written['defaults']) ? ['defaults', ...inner] : undefined
}

/** The argument that gives the service of a problem. */
function serviceAt({ path }: Problem, written: unknown, { services = [] }: Additions): string | undefined {
  const [index, inner] = splitPath(path)
  if (
    index === undefined ||
    !isObject(written) ||
    index < listedServices(written).length ||
    services.length === 0
  )
    return undefined
  const where = showPath(inner)
  const missing = settings().find(({ ofService, path: keys }) => ofService && showPath(keys) === where)
  if (missing) return `--${missing.flag}`
  return ['--service', ...ENDS.flatMap(([key, name]) => (key === inner[0] ? [name] : []))].join(' ')
}

/** The number of a service and the keys in it; undefined and all keys for a value of the program. */
function splitPath(path: readonly PropertyKey[]): readonly [number | undefined, readonly PropertyKey[]] {
  const [first, index, ...inner] = path
  return first === 'services' && typeof index === 'number' ? [index, inner] : [undefined, path]
}

function listedServices(written: JsonObject): readonly unknown[] {
  const { services } = written
  return services instanceof Array ? services : []
}
