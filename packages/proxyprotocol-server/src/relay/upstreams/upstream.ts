// A member that has left its name is forgotten after its last connection.

import { isIP } from 'node:net'
import type { ProxyProtocolError } from 'proxyprotocol'
import { formatEndpoint, type Pool, type UpstreamSettings } from '../../config/index.ts'
import { latestOf, noCounts, stateOf, sumOfCounts, type UpstreamSnapshot } from '../../figures/index.ts'
import { HealthCheck } from './health-check.ts'
import { Member, type MemberTarget } from './member.ts'
import {
  type FoundAddress,
  memberList,
  type NameWatcher,
  placeOf,
  type ResolvedName,
  type Resolver,
} from './names/index.ts'
import type { UpstreamEvent } from './upstream-event.ts'
import type { UpstreamTls } from './upstream-tls.ts'

export interface UpstreamContext extends Pick<Pool, 'health' | 'resolve'> {
  readonly resolver: Resolver
  readonly tls: UpstreamTls
  readonly patience: number
  readonly now: () => number
  readonly tell: (event: UpstreamEvent) => void
  readonly onRoom: () => void
  readonly onChange: () => void
}

interface Watched {
  readonly member: Member
  readonly check: HealthCheck
}

export class Upstream implements NameWatcher {
  readonly settings: UpstreamSettings
  /** The same in another configuration means the same upstream. */
  readonly key: string
  readonly #context: UpstreamContext
  readonly #name: ResolvedName | undefined
  #watched: readonly Watched[] = []
  #members: readonly Member[] = []
  readonly #leaving = new Set<Member>()
  /** That of a relay before, which has connections left. */
  #former: Upstream | undefined
  #past = noCounts
  #answered = false
  #memberChanges = 0
  #leftOut = 0
  #started = false

  constructor(settings: UpstreamSettings, context: UpstreamContext) {
    this.settings = settings
    this.key = `${settings.name} ${formatEndpoint(settings.address)}`
    this.#context = context
    this.#name = nameOf(settings, context.resolver)
    this.#name?.watch(this)
    this.#use([this.#made(this.#name ? this.#unresolved() : {})])
  }

  get members(): readonly Member[] {
    return this.#members
  }

  start(): void {
    this.#started = true
    for (const { check } of this.#watched) check.start()
  }

  close(): void {
    this.#started = false
    for (const { member, check } of this.#watched) {
      check.stop()
      member.hush()
    }
  }

  doubt(): void {
    this.#name?.doubt()
  }

  inherit(other: Upstream): void {
    this.#former = other.#isInUse ? other : other.#former
    const before = new Map(other.members.map(member => [member.name, member]))
    for (const { member, check } of this.#watched) {
      const same = before.get(member.name)
      if (same) member.inherit(same)
      check.reconsider()
    }
    this.#context.onChange()
  }

  /** It is new beside others that serve already. */
  beginSlowly(): void {
    for (const member of this.#members) member.beginSlowly()
  }

  /** What a later relay knows: members at other places leave. */
  keep(places: ReadonlySet<string | undefined>): void {
    for (const member of this.#members) {
      if (!places.has(member.place)) member.leave()
      else if (member.state === 'leaving') member.stay()
    }
    this.#former?.keep(places)
  }

  onAnswer(answer: readonly FoundAddress[]): void {
    const before = new Map(this.#watched.map(watched => [watched.member.place, watched]))
    const { maxMembers } = this.#context.resolve
    const { addresses, leftOut } = memberList(answer, before, maxMembers)
    this.#replace(addresses.map(found => this.#followed(found, before.get(placeOf(found)))))
    if (leftOut > 0 && this.#leftOut === 0) {
      const members = addresses.length
      this.#context.tell({ kind: 'left_out', upstream: this.settings.name, members, leftOut })
    }
    this.#leftOut = leftOut
    this.#answered = true
    this.#keepFormer()
  }

  onExpired(fault: ProxyProtocolError): void {
    const unresolved = this.#made(this.#unresolved())
    this.#replace([unresolved])
    unresolved.member.condemn(fault)
    this.#keepFormer()
  }

  snapshot(): UpstreamSnapshot {
    this.#sweep()
    const { name, address, weight, backup, maxConnections } = this.settings
    const all = [...this.members, ...this.#leaving]
    const snapshots = all.map(member => member.snapshot())
    return {
      name,
      address: formatEndpoint(address),
      ...{ weight, backup },
      limit: maxConnections === Infinity ? undefined : maxConnections * this.members.length,
      state: stateOf(this.members.map(({ state }) => state)),
      ...snapshots.reduce(sumOfCounts, this.#past),
      lastFailure: latestOf(snapshots.map(({ lastFailure }) => lastFailure)),
      members: snapshots.filter((_, at) => all[at]?.resolve === undefined),
      memberChanges: this.#memberChanges,
      leftOut: this.#leftOut,
      resolution: this.#name?.snapshot(),
    }
  }

  get #isInUse(): boolean {
    return [...this.#members, ...this.#leaving].some(({ active }) => active > 0)
  }

  #keepFormer(): void {
    this.#former?.keep(new Set(this.#members.map(({ place }) => place)))
  }

  #followed(found: FoundAddress, known: Watched | undefined): Watched {
    const watched = known ?? this.#welcome(found)
    watched.member.follow(found)
    return watched
  }

  #welcome(found: FoundAddress): Watched {
    const known = [...this.#leaving].find(({ place }) => place === placeOf(found))
    if (known === undefined) {
      const made = this.#made({ found })
      if (this.#answered) made.member.beginSlowly()
      return made
    }
    this.#leaving.delete(known)
    known.stay()
    return this.#watch(known)
  }

  #replace(after: readonly Watched[]): void {
    const before = this.#watched
    this.#use(after)
    const come = after.filter(each => !before.includes(each))
    const gone = before.filter(each => !after.includes(each))
    for (const { member, check } of gone) {
      check.stop()
      if (member.resolve) member.acquit()
      member.leave()
      this.#leaving.add(member)
    }
    this.#sweep()
    if (this.#started) for (const { check } of come) check.start()
    if (this.#answered) {
      this.#memberChanges += [...come, ...gone].filter(({ member }) => member.place !== undefined).length
    }
  }

  #use(watched: readonly Watched[]): void {
    this.#watched = watched
    this.#members = watched.map(({ member }) => member)
    this.#context.onChange()
  }

  #sweep(): void {
    for (const member of this.#leaving) {
      if (member.active > 0) continue
      this.#past = sumOfCounts(this.#past, member.snapshot())
      this.#leaving.delete(member)
    }
  }

  #unresolved(): MemberTarget {
    return { resolve: options => (this.#name as ResolvedName).answered(options) } // there is one where this is used
  }

  #made(target: MemberTarget): Watched {
    const { health, now, tell, onRoom, onChange, resolve } = this.#context
    const { name: upstream } = this.settings
    const member = new Member(this.settings, target, {
      ...{ health, now, onRoom, drain: resolve.drain },
      tell: (each, notice) => {
        tell({ ...notice, upstream, address: each.resolve ? undefined : each.address })
      },
      onChange: () => {
        onChange()
        this.#watched.find(each => each.member === member)?.check.reconsider()
      },
    })
    return this.#watch(member)
  }

  #watch(member: Member): Watched {
    const { health, tls, patience } = this.#context
    return { member, check: new HealthCheck(member, { tls, patience, cooldown: health.cooldown }) }
  }
}

function nameOf({ address, source }: UpstreamSettings, resolver: Resolver): ResolvedName | undefined {
  if (address.transport === 'unix') return undefined
  const { host = 'localhost', srv } = address
  if (srv !== undefined) return resolver.name(srv, { source, isService: true })
  return isIP(host) === 0 ? resolver.name(host, { source }) : undefined
}
