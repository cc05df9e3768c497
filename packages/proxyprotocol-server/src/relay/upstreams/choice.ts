// The open members are cached until one of them changes.

import { unmapAddress, type Endpoint } from 'proxyprotocol'
import type { Pool } from '../../config/index.ts'
import { balancer, type Balancer } from './balance.ts'
import type { Member } from './member.ts'

interface Group {
  readonly members: readonly Member[]
}

type ChoiceSettings = Pick<Pool, 'balance' | 'retries' | 'upstreams'>

export class Choice {
  readonly #groups: () => readonly Group[]
  readonly #retries: number
  readonly #isLimited: boolean
  readonly #pick: Balancer
  #open: readonly Member[] | undefined

  constructor({ balance, retries, upstreams }: ChoiceSettings, groups: () => readonly Group[]) {
    this.#groups = groups
    this.#retries = retries
    this.#isLimited = upstreams.some(({ maxConnections }) => maxConnections < Infinity)
    this.#pick = balancer(balance)
  }

  changed(): void {
    this.#open = undefined
  }

  next(source: Endpoint | undefined, tried: ReadonlySet<Member>): Member | 'full' | undefined {
    const candidates = this.#candidates(tried)
    const free = this.#isLimited ? candidates.filter(({ hasRoom }) => hasRoom) : candidates
    if (free.length > 0) return this.#pick(free, addressOf(source))
    return candidates.length > 0 ? 'full' : undefined
  }

  hasRoom(tried: ReadonlySet<Member>): boolean {
    const candidates = this.#candidates(tried)
    return candidates.length === 0 || candidates.some(({ hasRoom }) => hasRoom)
  }

  mayFollow(tried: ReadonlySet<Member>): number {
    const most = Math.max(1, this.#retries + 1 - tried.size)
    let count = 0
    for (const { isHealthy } of this.#left(tried)) if (isHealthy && ++count === most) break
    return count
  }

  /** If none is open, the member that failed longest ago. */
  #candidates(tried: ReadonlySet<Member>): readonly Member[] {
    for (const backup of [false, true]) {
      const open =
        tried.size === 0 && !backup
          ? (this.#open ??= this.#opened(tried, backup))
          : this.#opened(tried, backup)
      if (open.length > 0) return open
    }
    const healthy = [...this.#left(tried)].filter(each => each.isHealthy)
    return healthy.sort((a, b) => a.failedAt - b.failedAt).slice(0, 1)
  }

  #opened(tried: ReadonlySet<Member>, backup: boolean): readonly Member[] {
    const open = [...this.#left(tried)].filter(each => each.isOpen && each.backup === backup)
    return elsewhere(open, tried)
  }

  /** Another member of the first one's name is tried even without retries. */
  *#left(tried: ReadonlySet<Member>): Generator<Member> {
    const [first] = tried
    const isLast = first !== undefined && tried.size > this.#retries
    if (isLast && tried.size > 1) return
    for (const { members } of this.#groups()) {
      for (const member of members) {
        if (member.weight === 0 || tried.has(member)) continue
        if (!isLast || member.settings === first.settings) yield member
      }
    }
  }
}

/** The addresses of one name often fail together. */
function elsewhere(open: readonly Member[], tried: ReadonlySet<Member>): readonly Member[] {
  if (tried.size === 0) return open
  const known = new Set([...tried].map(({ settings }) => settings))
  const others = open.filter(({ settings }) => !known.has(settings))
  return others.length > 0 ? others : open
}

function addressOf(source: Endpoint | undefined): string | undefined {
  return source && 'address' in source ? unmapAddress(source.address) : undefined
}
