// A set whose members come and go. When V8 grows a `Set` or cleans it up, the old table keeps its members and points to
// the new one. Once an old table is in the old generation, all later members live until the next major collection
// (seen on Node 20 to 26). Accepted connections then cost a tenth more, and tens of megabytes pile up.

/** For classes whose objects keep one shape. */
export const indexKey: unique symbol = Symbol('proxyprotocol.index')

interface Indexed {
  [indexKey]?: number | undefined
}

/**
 * A member belongs to one such set at a time. Iterating goes over the members of that moment, without those that have left
 * since. The order is unspecified.
 */
export class LiveSet<T extends object> implements ReadonlySet<T> {
  readonly #members: (T & Indexed)[] = []

  get size(): number {
    return this.#members.length
  }

  has(member: T): boolean {
    const index = (member as Indexed)[indexKey]
    return index !== undefined && this.#members[index] === member
  }

  add(member: T & Indexed): void {
    if (this.has(member)) return
    member[indexKey] = this.#members.length
    this.#members.push(member)
  }

  delete(member: T & Indexed): void {
    if (!this.has(member)) return
    const last = this.#members.pop() as T & Indexed // it has a member
    if (last === member) return
    const index = member[indexKey] as number // has() has looked
    last[indexKey] = index
    this.#members[index] = last
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
