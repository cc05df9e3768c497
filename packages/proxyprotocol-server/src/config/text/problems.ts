// Turns zod's issues into sentences, `<path> must be <what>, got <value>`, all at once.

import type { z } from 'zod'
import { ConfigError } from './config-error.ts'
import { nearest } from './nearest.ts'
import { keysOf, nodeAt, schemaNode, type SchemaNode, wordsOf } from './schema-node.ts'
import { showPath } from './show-path.ts'
import { wanted } from './wanted.ts'

const MAX_SHOWN = 60

export interface Problem {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

type Issue = z.core.$ZodIssue

/** @param place the text in front of a problem's message; by default its path. */
export function checked<Settled>(
  schema: z.ZodType<Settled>,
  written: unknown,
  place: (problem: Problem) => string = ({ path }) => showPath(path),
): Settled {
  const { data, error } = schema.safeParse(written, { reportInput: true })
  if (error === undefined) return data
  const node = schemaNode(schema)
  const problems = error.issues.flatMap(issue => problemsOf(issue, [], { node, written }))
  const lines = problems.map(problem => sentence(place(problem), problem.message))
  throw new ConfigError([...new Set(lines)].join('\n'))
}

function sentence(place: string, message: string): string {
  if (place === '') return message
  return message.startsWith('must ') ? `${place} ${message}` : `${place}: ${message}`
}

interface Scene {
  readonly node: SchemaNode
  readonly written: unknown
}

function problemsOf(issue: Issue, base: readonly PropertyKey[], scene: Scene): readonly Problem[] {
  const path = [...base, ...issue.path]
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => unknownKey(key, path, scene))
  if (issue.code === 'custom' || issue.code === 'invalid_format') return [{ path, message: issue.message }]
  if (isEmptyList(issue)) return [{ path, message: 'must have at least one entry, got none' }]
  if (isLongList(issue)) {
    const { length } = valueAt(scene.written, path) as readonly unknown[] // zod found a list there
    return [{ path, message: `must have at most ${String(issue.maximum)} entries, got ${String(length)}` }]
  }
  if (issue.code === 'invalid_union') {
    // The alternative that got furthest is the one that was meant.
    const deeper = issue.errors.find(each => each.every(gotFurther))
    if (deeper) return deeper.flatMap(inner => problemsOf(inner, path, scene))
  }
  return [mismatch(path, scene)]
}

function isEmptyList(issue: Issue): boolean {
  return issue.code === 'too_small' && issue.origin === 'array'
}

function isLongList(issue: Issue): issue is z.core.$ZodIssueTooBig {
  return issue.code === 'too_big' && issue.origin === 'array'
}

function gotFurther(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === 'custom' || isEmptyList(issue)
}

function unknownKey(key: string, path: readonly PropertyKey[], { node }: Scene): Problem {
  const known = keysOf(nodeAt(node, path))
  const meant = nearest(key, known)
  const what =
    meant === undefined ? `one of the keys ${known.join(', ')}` : `a known key; did you mean "${meant}"?`
  return { path: [...path, key], message: `must be ${what}` }
}

function mismatch(path: readonly PropertyKey[], { node, written }: Scene): Problem {
  const value = valueAt(written, path)
  const what = nodeAt(node, path)
  const meant = typeof value === 'string' ? nearest(value, wordsOf(what)) : undefined
  const hint = meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`
  return {
    path,
    message: `must be ${wanted(what)}, got ${value === undefined ? 'nothing' : show(value)}${hint}`,
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], value) // zod walked it
}

function show(value: unknown): string {
  if (value instanceof Array) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text
}
