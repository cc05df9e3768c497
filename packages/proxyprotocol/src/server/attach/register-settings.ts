// The environment variables of proxyprotocol/register: which peers may send headers, and on which ports.

import { quote } from '../../checks/index.ts'
import { compileNetworks } from '../../trust/index.ts'

const MAX_PORT = 65_535

export interface PortRange {
  readonly text: string
  readonly first: number
  readonly last: number
}

export interface RegisterSettings {
  readonly options: {
    readonly trust: 'anyone' | readonly string[]
    readonly version: 'detect' | 'v1' | 'v2'
  }
  readonly ports: 'all' | readonly PortRange[]
}

type Variables = Readonly<Record<string, string | undefined>>

export function registerSettings(variables: Variables): RegisterSettings {
  const {
    PROXYPROTOCOL_TRUST: trust,
    PROXYPROTOCOL_PORTS: ports,
    PROXYPROTOCOL_VERSION: version = 'detect',
  } = variables
  if (!isVersion(version)) throw wrong('PROXYPROTOCOL_VERSION', "'detect', 'v1' or 'v2'", version)
  return { options: { trust: trustOf(trust), version }, ports: portsOf(ports) }
}

export function hasPort({ first, last }: PortRange, port: number): boolean {
  return port >= first && port <= last
}

function trustOf(text: string | undefined): 'anyone' | readonly string[] {
  if (!text) throw wrong('PROXYPROTOCOL_TRUST', "CIDRs with commas, or 'anyone'", text)
  if (text === 'anyone') return text
  const entries = entriesOf(text)
  compileNetworks(entries, 'PROXYPROTOCOL_TRUST') // throws for what is wrong
  return entries
}

function portsOf(text: string | undefined): RegisterSettings['ports'] {
  if (text === 'all') return text
  return entriesOf(text ?? '').map(entry => {
    const [, first = '', last = first] = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(entry) ?? []
    const range = { text: entry, first: Number(first), last: Number(last) }
    if (first !== '' && range.first <= range.last && range.last <= MAX_PORT) return range
    throw wrong('PROXYPROTOCOL_PORTS', "ports as in 8080,9000-9010, or 'all'", text)
  })
}

function entriesOf(text: string): readonly string[] {
  return text.split(',').map(entry => entry.trim())
}

function isVersion(version: string): version is 'detect' | 'v1' | 'v2' {
  return ['detect', 'v1', 'v2'].includes(version)
}

function wrong(name: string, must: string, got: string | undefined): TypeError {
  return new TypeError(`${name} must be ${must}, got ${got === undefined ? 'none' : quote(got)}`)
}
