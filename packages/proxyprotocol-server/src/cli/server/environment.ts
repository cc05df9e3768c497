// The environment variables of proxyprotocol-server: each setting's own, and the file's name. A misspelt one is refused, for
// a limit that nobody obeys is worse than none.

import { ConfigError, nearest, type Override, settings, VARIABLE_PREFIX } from '../../config/index.ts'
import { jsonValue } from './setting-flags.ts'

const CONFIG = `${VARIABLE_PREFIX}CONFIG`

/**
 * Kubernetes tells every container of a namespace about each service of it, under the service's name: one that is called
 * `proxyprotocol` must not keep the program from starting.
 */
const SERVICE_LINK =
  /_SERVICE_HOST$|_SERVICE_PORT(?:_\w+)?$|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)?$/

/** What the environment says. */
export interface Environment {
  readonly config: string | undefined
  readonly overrides: readonly Override[]
}

/** @throws ConfigError that names all variables that do not exist. */
export function environmentOf(variables: Readonly<Record<string, string | undefined>>): Environment {
  const known = settings()
  const names = [CONFIG, ...known.map(({ variable }) => variable)]
  const unknown = Object.keys(variables).filter(
    name => name.startsWith(VARIABLE_PREFIX) && !names.includes(name) && !SERVICE_LINK.test(name),
  )
  if (unknown.length > 0) throw new ConfigError(unknown.map(name => refusal(name, names)).join('\n'))
  return {
    config: variables[CONFIG],
    overrides: known.flatMap(setting => {
      const text = variables[setting.variable]
      return text === undefined ? [] : [{ setting, value: jsonValue(text, setting), name: setting.variable }]
    }),
  }
}

function refusal(name: string, names: readonly string[]): string {
  const meant = nearest(name, names)
  const hint = meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${meant}?`
  return `${name}: there is no such environment variable; ${hint}`
}
