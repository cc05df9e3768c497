// Finds the most exact pattern for a server name in one step per label: the name itself, then `*.` before ever shorter
// ends.

export class NameTable<T> {
  readonly #entries = new Map<string, T>()

  /** @param pattern a name in lower case, or `*.` and an end: `*.example` matches every name below example. */
  add(pattern: string, entry: T): void {
    this.#entries.set(pattern, entry)
  }

  /** @param name in lower case, as from a ClientHello. */
  find(name: string): T | undefined {
    let found = this.#entries.get(name)
    for (let at = name.indexOf('.'); found === undefined && at !== -1; at = name.indexOf('.', at + 1)) {
      found = this.#entries.get(`*${name.slice(at)}`)
    }
    return found
  }
}
