// The rules between the keys of checks, which hold for each upstream with what it takes over from its service.

import { isIP } from 'node:net'
import { type CheckInit, type HealthInit, mergedCheck, typesWith } from '../../health.ts'
import type { UpstreamInit } from '../../pool.ts'

/** A fault, and where it is. */
export interface HealthProblem {
  /** From the service, or from the route. */
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** The keys that a type must have. */
const REQUIRED = [
  { key: 'user', what: 'the name of an account' },
  { key: 'expect', what: 'what the answer contains, such as "text:+PONG"' },
] as const

/** Upstreams, and where they are. */
export interface UpstreamsAt {
  readonly path: readonly (string | number)[]
  readonly upstreams: readonly UpstreamInit[]
}

/** The faults of `health`, and of `check` of its upstreams. */
export function healthProblems(
  { check, onDown }: HealthInit,
  lists: readonly UpstreamsAt[],
): readonly HealthProblem[] {
  const isChecked =
    check !== undefined || lists.some(({ upstreams }) => upstreams.some(upstream => upstream.check))
  return [
    ...(onDown === 'reset' && !isChecked ? [RESET_UNCHECKED] : []),
    ...(check ? located(['health', 'check'], keyProblem(check, {})) : []),
    ...lists.flatMap(({ path, upstreams }) =>
      upstreams.flatMap((upstream, at) => {
        const { check: own } = upstream
        const place = [...path, at]
        return [
          ...(own ? located([...place, 'check'], keyProblem(own, check ?? {})) : []),
          ...located(place, sourceProblem(upstream, check ?? {})),
        ]
      }),
    ),
  ]
}

const RESET_UNCHECKED: HealthProblem = {
  path: ['health', 'onDown'],
  message: 'must be "keep" without `check`, because failed connections alone are a guess, got "reset"',
}

interface KeyProblem {
  readonly key: keyof CheckInit | 'source'
  readonly message: string
}

function located(
  path: readonly (string | number)[],
  problem: KeyProblem | undefined,
): readonly HealthProblem[] {
  return problem ? [{ path: [...path, problem.key], message: problem.message }] : []
}

function keyProblem(own: CheckInit, common: CheckInit): KeyProblem | undefined {
  const merged = mergedCheck(own, common)
  const { type } = merged
  const stray = (Object.keys(own) as (keyof CheckInit)[]).find(key => !typesWith(key).includes(type)) // the schema knows no others
  if (stray) {
    const types = typesWith(stray)
      .map(each => JSON.stringify(each))
      .join(' or ')
    return { key: stray, message: `must stand beside type ${types}, got type ${JSON.stringify(type)}` }
  }
  const lacking = REQUIRED.find(({ key }) => typesWith(key).includes(type) && merged[key] === undefined)
  if (lacking) {
    const { key, what } = lacking
    return { key, message: `must be ${what} for type ${JSON.stringify(type)}, got nothing` }
  }
  if (merged.address === undefined || merged.port !== undefined) return undefined
  return {
    key: 'address',
    message: `must stand beside \`port\`, got ${JSON.stringify(merged.address)} alone`,
  }
}

/** A socket bound to an address of one family cannot connect to the other. */
function sourceProblem({ source, check = {} }: UpstreamInit, common: CheckInit): KeyProblem | undefined {
  const { address = '' } = mergedCheck(check, common)
  const families = [isIP(source ?? ''), isIP(address)]
  if (families.includes(0) || families[0] === families[1]) return undefined
  const message = `must be of the family of ${address}, which its check connects to, got ${JSON.stringify(source)}`
  return { key: 'source', message }
}
