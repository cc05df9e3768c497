import { type Service, type ServiceOptions, serviceSchema, type UpstreamText } from './schema/index.ts'
import { checked, ConfigError } from './text/index.ts'

/**
 * Reads the address strings of `--service SOURCE DEST`; DEST may be several, or none if all clients have a route.
 *
 * Connections at SOURCE have no header unless `pp` is `v1`, `v2` or `detect` (either). DEST gets a version 2 header
 * unless `pp` is `v1` or `noop` (none). Several DEST share the connections.
 *
 * @throws {ConfigError} naming each wrong address ({@link parseAddress}) and option; SOURCE with headers needs `trust`.
 * @example
 * ```ts run
 * import { parseService } from 'proxyprotocol-server'
 *
 * parseService(':10007', '192.0.2.1:8080?pp=v1').header // 'v1'
 * parseService(':10007?pp=detect', '192.0.2.1:8080', { trust: ['10.0.0.0/8'] }).accepts?.version // 'detect'
 * parseService(':10007', '192.0.2.1:8080', { timeouts: { idle: 60_000 } }).timeouts.idle // 60000
 * ```
 */
export function parseService(
  source: string,
  dest: string | readonly UpstreamText[],
  options: ServiceOptions = {},
): Service {
  const several = dest.length === 0 ? {} : { upstreams: dest }
  const where = typeof dest === 'string' ? { upstream: dest } : several
  const [service, ...others] = checked(serviceSchema, { listen: source, ...where, ...options })
  if (service && others.length === 0) return service
  throw new ConfigError(`SOURCE must be one address, got ${JSON.stringify(source)}, which are several`)
}
