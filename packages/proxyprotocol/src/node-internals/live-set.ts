// A set whose members come and go. When V8 grows a `Set` or cleans it up, the old table keeps its members and points to
// the new one. Once an old table is in the old generation, all later members live until the next major collection
// (seen on Node 20 to 24). Accepted connections then cost a tenth more, and hundreds of megabytes pile up.

/** For classes whose objects keep one shape. */
export const placeKey: unique symbol = Symbol('proxyprotocol.place')

interface Placed {
  [placeKey]?: number | undefined
}

/**
 * A member belongs to one such set at a time. Iterating goes over the members of that moment, without those that have left
 * since. Their order is not that of their coming.
 */
export class LiveSet<T extends object> implements ReadonlySet<T> {
  readonly #members: (T & Placed)[] = []

  get size(): number {
    return this.#members.length
  }

  has(member: T): boolean {
    const place = (member as Placed)[placeKey]
    return place !== undefined && this.#members[place] === member
  }

  add(member: T & Placed): void {
    if (this.has(member)) return
    member[placeKey] = this.#members.length
    this.#members.push(member)
  }

  delete(member: T & Placed): void {
    if (!this.has(member)) return
    const last = this.#members.pop() as T & Placed // it has a member
    if (last === member) return
    const place = member[placeKey] as number // has() has looked
    last[placeKey] = place
    this.#members[place] = last
  }

  *[Symbol.iterator](): SetIterator<T> {
    for (const member of [...this.#members]) if (this.has(member)) yield member
  }

  keys(): SetIterator<T> {
    return this[Symbol.iterator]()
  }

  values(): SetIterator<T> {
    return this[Symbol.iterator]()
  }

  *entries(): SetIterator<[T, T]> {
    for (const member of this) yield [member, member]
  }

  forEach(callback: (value: T, key: T, set: ReadonlySet<T>) => void, self?: unknown): void {
    for (const member of this) callback.call(self, member, member, this)
  }
}
