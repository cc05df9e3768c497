// What a section of HAProxy says, and the table of its directives.

import type { Balance, CheckText } from '../../config/index.ts'
import { type UpstreamDraft, type Directive, duration, type Rule, type Table } from './draft.ts'
import { type Acls, type Condition, conditionOf } from './haproxy-match.ts'
import { addressOf, numberOf, readWords, serverLine } from './haproxy-server.ts'

export interface UseBackend {
  readonly line: number
  readonly backend: string
  readonly names: readonly string[]
}

type Timeout = 'connect' | 'client' | 'server' | 'tunnel' | 'client-fin' | 'server-fin' | 'queue'

/** Lists grow and keys are set while its directives are read. */
export class Proxy {
  isTcp = false
  readonly listens: string[] = []
  readonly acls: Acls = new Map()
  readonly servers: UpstreamDraft[] = []

  readonly uses: UseBackend[] = []
  readonly allow: string[] = []
  readonly deny: string[] = []
  readonly times: Partial<Record<Timeout, string | number>> = {}
  serverDefaults: readonly string[] = []
  check: CheckText = {}
  acceptsHeaders = false
  refusesPlain = false
  sharesBackups = false
  defaultBackend: string | undefined
  balance: Balance | undefined
  retries: number | undefined
  connections: number | undefined
  inspectDelay: string | number | undefined
  onDown: 'reset' | undefined
  slowStart: string | number | undefined
}

const BALANCES: Readonly<Record<string, Balance>> = {
  roundrobin: 'round-robin',
  'static-rr': 'round-robin',
  leastconn: 'least-connections',
  source: 'source-hash',
}

const UNSAID = 'the condition is more than server names or networks'

export const haproxyTable: Table<Proxy> = {
  mode: (proxy, [mode]) => {
    proxy.isTcp = mode === 'tcp'
    return undefined
  },
  bind,
  acl: ({ acls }, [name = '', ...test]) => {
    acls.set(name, [...(acls.get(name) ?? []), test])
    return undefined
  },
  use_backend: useBackend,
  default_backend: (proxy, [name]) => {
    proxy.defaultBackend = name
    return undefined
  },
  'default-server': (proxy, words) => {
    proxy.serverDefaults = [...proxy.serverDefaults, ...words]
    return undefined
  },
  server,
  balance: (proxy, [algorithm = '', ...more]) => {
    proxy.balance = BALANCES[algorithm]
    return proxy.balance && more.length === 0 ? undefined : 'the balance has no counterpart'
  },
  retries: (proxy, [times]) => {
    proxy.retries = numberOf(times)
    return undefined
  },
  maxconn: (proxy, [connections]) => {
    proxy.connections = numberOf(connections)
    return undefined
  },
  ...Object.fromEntries(
    (['connect', 'client', 'server', 'tunnel', 'client-fin', 'server-fin', 'queue'] as const).map(key => [
      `timeout ${key}`,
      timeout(key),
    ]),
  ),
  'timeout check': (proxy, [time = '']) => {
    proxy.check = { ...proxy.check, timeout: duration(time, 'ms') }
    return undefined
  },
  'option ssl-hello-chk': checks(() => ({ type: 'tls' })),
  'option tcp-check': checks(() => ({ type: 'tcp' })),
  'option redis-check': checks(() => ({ type: 'redis' })),
  'option smtpchk': checks(([, host]) => ({ type: 'smtp', host })),
  'option pgsql-check': checks(([, user]) => ({ type: 'postgresql', user })),
  'option mysql-check': checks(([, user]) => ({ type: 'mysql', user })),
  'option httpchk': httpCheck,
  'http-check expect': (proxy, [what, status]) => {
    if (what !== 'status' || !/^\d+(?:-\d+)?$/.test(String(status))) return 'only a status is translated'
    proxy.check = { ...proxy.check, status }
    return undefined
  },
  'option allbackups': proxy => {
    proxy.sharesBackups = true
    return undefined
  },
  'option redispatch': () => undefined,
  'option tcplog': () => undefined,
  'tcp-request inspect-delay': (proxy, [time = '']) => {
    proxy.inspectDelay = duration(time, 'ms')
    return undefined
  },
  'tcp-request connection': tcpRequest,
  'tcp-request content': tcpRequest,
}

function timeout(key: Timeout): Rule<Proxy> {
  return ({ times }, [text = '']) => {
    const time = duration(text, 'ms')
    if (time === undefined) return 'the time is not valid'
    times[key] = time
    return undefined
  }
}

function checks(read: (args: readonly string[]) => CheckText): Rule<Proxy> {
  return (proxy, args) => {
    proxy.check = { ...proxy.check, ...read(args) }
    return undefined
  }
}

function httpCheck(proxy: Proxy, args: readonly string[]): string | undefined {
  const [method, path] = args.length === 1 ? ['OPTIONS', args[0]] : [args[0] ?? 'OPTIONS', args[1] ?? '/']
  if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') return 'only GET, HEAD and OPTIONS exist'
  proxy.check = { ...proxy.check, type: 'http', method, path }
  return args.length > 2 ? 'the version and headers are left out' : undefined
}

function bind(proxy: Proxy, [addresses = '', ...words]: readonly string[]): string | undefined {
  const { known, unknown } = readWords(words.filter(word => word !== 'v6only'))
  if (unknown.includes('ssl')) return 'TLS that ends here is not translated, so the address is left out'
  const accepts = known.has('accept-proxy')
  proxy.listens.push(...addresses.split(',').map(each => addressOf(each) + (accepts ? '?pp=detect' : '')))
  if (accepts) {
    proxy.acceptsHeaders = true
    return 'accept-proxy believes every peer, so trust is "anyone"; name your proxies there'
  }
  return unknown.length > 0 ? `${unknown.join(' ')} has no counterpart` : undefined
}

function server(proxy: Proxy, args: readonly string[]): string | undefined {
  const { upstream, unknown, onDown, slowStart } = serverLine(args, proxy.serverDefaults, proxy.check)
  if (unknown.includes('ssl')) return 'TLS to a server is not translated, so the server is left out'
  proxy.onDown ??= onDown
  proxy.slowStart ??= slowStart
  const isExtraBackup = upstream.backup === true && proxy.servers.some(({ backup }) => backup)
  proxy.servers.push(upstream)
  if (unknown.length > 0) return `${unknown.join(' ')} has no counterpart`
  return isExtraBackup && !proxy.sharesBackups
    ? 'backups share, where HAProxy uses the first that is up'
    : undefined
}

function useBackend(
  { uses, acls }: Proxy,
  [backend = '', ...words]: readonly string[],
  { line }: Directive,
): string | undefined {
  const condition = conditionOf(words, acls)
  if (condition?.kind !== 'names' || condition.isNegated) return `${UNSAID}, so the route is left out`
  uses.push({ line, backend, names: condition.values })
  return undefined
}

function tcpRequest(proxy: Proxy, [action = '', ...words]: readonly string[]): string | undefined {
  if (words.length === 0 && action === 'reject') {
    proxy.refusesPlain = true
    return undefined
  }
  const condition = conditionOf(words, proxy.acls)
  if (condition?.kind === 'hello') {
    if (action === 'reject') proxy.refusesPlain = true
    return undefined
  }
  return listed(proxy, action, condition)
}

function listed(proxy: Proxy, action: string, condition: Condition | undefined): string | undefined {
  if (action !== 'reject' || condition?.kind !== 'networks') return UNSAID
  const list = condition.isNegated ? proxy.allow : proxy.deny
  list.push(...condition.values)
  return undefined
}
