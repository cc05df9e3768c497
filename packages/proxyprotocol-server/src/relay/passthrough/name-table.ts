// Looks a server name up in one step for each of its labels, however many names there are. The most exact wins: the name
// itself, then `*.` in front of ever shorter ends of it.

export class NameTable<T> {
  readonly #entries = new Map<string, T>()

  /** @param pattern a name in lower case, or `*.` and the end of many: `*.example` is every name below example. */
  add(pattern: string, entry: T): void {
    this.#entries.set(pattern, entry)
  }

  /** @param name in lower case, as a ClientHello is read. */
  find(name: string): T | undefined {
    let found = this.#entries.get(name)
    for (let at = name.indexOf('.'); found === undefined && at !== -1; at = name.indexOf('.', at + 1)) {
      found = this.#entries.get(`*${name.slice(at)}`)
    }
    return found
  }
}
