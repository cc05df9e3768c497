// Unknown variables are refused, because a misspelt limit is worse than none.

import { ConfigError, nearest, type Override, settings, VARIABLE_PREFIX } from '../../config/index.ts'
import { jsonValue } from './setting-flags.ts'

const CONFIG = `${VARIABLE_PREFIX}CONFIG`

/** Kubernetes sets such variables for a service called `proxyprotocol`. */
const SERVICE_LINK =
  /_SERVICE_HOST$|_SERVICE_PORT(?:_\w+)?$|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)?$/

/** A container may set these of `proxyprotocol/register` for all of its programs. */
const OF_REGISTER = ['TRUST', 'PORTS', 'VERSION'].map(name => VARIABLE_PREFIX + name)

export interface Environment {
  /** Empty or one. */
  readonly config: readonly string[]
  readonly overrides: readonly Override[]
}

export function environmentOf(variables: Readonly<Record<string, string | undefined>>): Environment {
  const known = settings()
  const names = [CONFIG, ...known.map(({ variable }) => variable)]
  const allowed = [...names, ...OF_REGISTER]
  const unknown = Object.keys(variables).filter(
    name => name.startsWith(VARIABLE_PREFIX) && !allowed.includes(name) && !SERVICE_LINK.test(name),
  )
  if (unknown.length > 0) throw new ConfigError(unknown.map(name => refusal(name, names)).join('\n'))
  const config = variables[CONFIG]
  return {
    config: config === undefined ? [] : [config],
    overrides: known.flatMap(setting => {
      const text = variables[setting.variable]
      return text === undefined ? [] : [{ setting, value: jsonValue(text, setting), name: setting.variable }]
    }),
  }
}

function refusal(name: string, names: readonly string[]): string {
  const meant = nearest(name, names)
  const hint = meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${meant}?`
  return `${name}: unknown environment variable; ${hint}`
}
