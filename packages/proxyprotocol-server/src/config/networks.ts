// Lists of networks, in the configuration and in files with one network a line.

import { readFileSync } from 'node:fs'
import { compileNetworks } from 'proxyprotocol/server'
import { ConfigError } from './text/index.ts'

const FILE = 'file:'
/** A file of another format has a problem in each line; these few show it. */
const MAX_PROBLEMS = 20

/** Networks, addresses and `unix`, and files of them as `file:PATH`. */
export type NetworkList = readonly string[]

export interface Networks {
  readonly entries: readonly string[]
  readonly holds: ReturnType<typeof compileNetworks>
}

export interface AccessLists {
  readonly allow: Networks | undefined
  readonly deny: Networks
}

interface Source {
  readonly entry: string
  readonly file: string | undefined
  readonly text: string
}

/** Services share a list, because compiling takes long. */
const known = new Map<string, WeakRef<Networks | ConfigError>>()

interface Located {
  readonly entry: string
  readonly place: string
}

export function networkProblem(entry: string): string | undefined {
  const file = networkFile(entry)
  if (file !== undefined) return file === '' ? `must name a file behind ${JSON.stringify(FILE)}` : undefined
  return entryProblem(entry)
}

export function entryProblem(entry: string): string | undefined {
  try {
    compileNetworks([entry], '')
    return undefined
  } catch (error) {
    return (error as Error).message // it throws nothing else
  }
}

export function networkFile(entry: string): string | undefined {
  return entry.startsWith(FILE) ? entry.slice(FILE.length) : undefined
}

export function readAccessLists(rules: {
  readonly allow: NetworkList | undefined
  readonly deny: NetworkList
}): AccessLists {
  const problems: string[] = []
  const read = (list: NetworkList): Networks | undefined => {
    try {
      return readNetworks(list)
    } catch (error) {
      problems.push((error as ConfigError).message) // it throws ConfigError only
      return undefined
    }
  }
  const [allow, deny] = [rules.allow && read(rules.allow), read(rules.deny)]
  if (allow?.entries.length === 0) {
    problems.push(`allow must have at least one network, got none in ${String(rules.allow)}`)
  }
  if (deny === undefined || problems.length > 0) throw new ConfigError(problems.join('\n'))
  return { allow, deny }
}

export function checkNetworkFiles(
  services: readonly { readonly access: Parameters<typeof readAccessLists>[0] | undefined }[],
): void {
  const problems = services.flatMap(({ access }) => {
    try {
      if (access) readAccessLists(access)
      return []
    } catch (error) {
      return (error as ConfigError).message.split('\n') // it throws ConfigError only
    }
  })
  if (problems.length > 0) throw new ConfigError([...new Set(problems)].join('\n'))
}

function readNetworks(list: NetworkList): Networks {
  const unreadable: string[] = []
  const sources = list.flatMap(entry => {
    try {
      return sourceOf(entry)
    } catch (error) {
      unreadable.push(`${entry}: ${(error as Error).message}`) // of the file system
      return []
    }
  })
  const key = JSON.stringify([sources.map(({ entry, text }) => [entry, text]), unreadable])
  const networks = known.get(key)?.deref() ?? compiled(sources.flatMap(locatedIn), unreadable)
  for (const [each, reference] of known) if (reference.deref() === undefined) known.delete(each)
  known.set(key, new WeakRef(networks))
  if (networks instanceof ConfigError) throw networks
  return networks
}

function compiled(located: readonly Located[], unreadable: readonly string[]): Networks | ConfigError {
  const problems = [...unreadable]
  const entries = located.map(({ entry }) => entry)
  try {
    if (problems.length === 0) return { entries, holds: compileNetworks(entries) }
  } catch {
    problems.push(...located.flatMap(problemOf))
  }
  const more = problems.length - MAX_PROBLEMS
  return new ConfigError(
    [...problems.slice(0, MAX_PROBLEMS), ...(more > 0 ? [`and ${String(more)} more`] : [])].join('\n'),
  )
}

function sourceOf(entry: string): Source {
  const file = networkFile(entry)
  return { entry, file, text: file === undefined ? '' : readFileSync(file, 'utf8') }
}

function locatedIn({ entry, file, text }: Source): readonly Located[] {
  if (file === undefined) return [{ entry, place: '' }]
  const lines = text.replace(/^\uFEFF/, '').split('\n')
  return lines.flatMap((line, at) => {
    const network = line.replace(/#.*/, '').trim()
    const place = `${file}:${String(at + 1)}:${String(line.search(/\S/) + 1)}: `
    return network === '' ? [] : [{ entry: network, place }]
  })
}

function problemOf({ entry, place }: Located): readonly string[] {
  const problem =
    networkFile(entry) === undefined ? networkProblem(entry) : 'a file must not name another one'
  return problem === undefined ? [] : [place + problem]
}
