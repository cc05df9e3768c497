// A growing `Set` of V8 links its old table to the new one. In the old generation that table keeps all later
// members until a major collection (Node 20 to 26): tens of megabytes of connections.

/** For objects that keep one shape. */
export const indexKey: unique symbol = Symbol('proxyprotocol.index')

interface Indexed {
  [indexKey]?: number | undefined
}

/** A member belongs to one such set. Iterating skips members that have left. The order is unspecified. */
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
