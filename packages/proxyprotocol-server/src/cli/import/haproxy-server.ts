// The lines `bind` and `server` of HAProxy: an address, and words with or without a value.

import type { CheckText } from '../../config/index.ts'
import { type UpstreamDraft, duration, filled } from './draft.ts'

const FLAGS = new Set([
  'send-proxy',
  'send-proxy-v2',
  'check',
  'check-send-proxy',
  'backup',
  'v4v6',
  'accept-proxy',
])
const VALUES = new Set([
  'inter',
  'fall',
  'rise',
  'port',
  'addr',
  'weight',
  'maxconn',
  'source',
  'on-marked-down',
  'slowstart',
])

export interface Words {
  readonly known: ReadonlyMap<string, string>
  readonly unknown: readonly string[]
}

export interface ServerLine {
  readonly upstream: UpstreamDraft
  readonly onDown: 'reset' | undefined
  readonly slowStart: string | number | undefined
}

/** Later words win, so `default-server` comes first. */
export function readWords(words: readonly string[]): Words {
  const known = new Map<string, string>()
  const unknown: string[] = []
  const rest = words.values()
  for (const word of rest) {
    if (FLAGS.has(word)) known.set(word, '')
    else if (VALUES.has(word)) known.set(word, String(rest.next().value))
    else unknown.push(word)
  }
  return { known, unknown }
}

/** `*:443`, `:443`, `:::443`, `[::]:443`, `ipv4@...`, `/run/x.sock`. */
export function addressOf(written: string): string {
  const text = written.replace(/^ipv[46]@|^unix@/, '')
  if (text.startsWith('/')) return `unix:${text}`
  const end = text.lastIndexOf(':')
  const [host, port] = [text.slice(0, end), text.slice(end + 1)]
  if (host === '' || host === '*') return `0.0.0.0:${port}`
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : text
}

export function serverLine(
  [name = '', address = '', ...words]: readonly string[],
  defaults: readonly string[],
  check: CheckText,
): ServerLine & Pick<Words, 'unknown'> {
  const { known, unknown } = readWords([...defaults, ...words])
  const mode = known.has('send-proxy-v2') ? 'v2' : known.has('send-proxy') ? 'v1' : 'noop'
  const upstream = {
    address: `${addressOf(address)}?pp=${mode}`,
    name,
    weight: numberOf(known.get('weight')),
    backup: known.has('backup') ? true : undefined,
    maxConnections: numberOf(known.get('maxconn')),
    source: known.get('source')?.replace(/:0?$/, ''),
    check: known.has('check') ? checkOf(withPort(known, address), check) : undefined,
  }
  return {
    upstream: { ...upstream, ...filled(upstream) },
    unknown,
    onDown: known.get('on-marked-down') === 'shutdown-sessions' ? 'reset' : undefined,
    slowStart: durationOf(known.get('slowstart')),
  }
}

/** Another host is checked at the same port. */
function withPort(words: ReadonlyMap<string, string>, address: string): ReadonlyMap<string, string> {
  const isSamePort = !words.has('addr') || words.has('port')
  return isSamePort ? words : new Map([...words, ['port', address.replace(/^.*:/, '')]])
}

/** HAProxy checks every 2 s, and sends its header to the port of the server alone. */
function checkOf(words: ReadonlyMap<string, string>, check: CheckText): CheckText {
  const interval = durationOf(words.get('inter')) ?? '2s'
  const isElsewhere = words.has('port') || words.has('addr')
  return {
    ...check,
    interval,
    timeout: check.timeout ?? interval,
    ...filled({
      rise: numberOf(words.get('rise')),
      fall: numberOf(words.get('fall')),
      port: numberOf(words.get('port')),
      address: words.get('addr'),
      header: isElsewhere && !words.has('check-send-proxy') ? false : undefined,
    }),
  }
}

export function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function durationOf(text: string | undefined): string | number | undefined {
  return text === undefined ? undefined : duration(text, 'ms')
}
