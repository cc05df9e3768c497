// Looks a server name up in one step for each of its labels, however many names there are. The most exact wins: the name
// itself, then `*.` in front of ever shorter ends of it.

/** A host's name, or `*.` and the end of many: `*.example.org` is every name below example.org, at any depth. */
const PATTERN = /^(?=.{1,253}$)(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/

export class NameTable<T> {
  readonly #entries = new Map<string, T>()

  /** @throws RangeError naming a pattern that is none, or that is there already. */
  add(pattern: string, entry: T): void {
    const key = pattern.toLowerCase()
    const shown = JSON.stringify(pattern)
    if (!PATTERN.test(key))
      throw new RangeError(`${shown} is no server name such as "a.example" or "*.example"`)
    if (this.#entries.has(key)) throw new RangeError(`the server name ${shown} is there twice`)
    this.#entries.set(key, entry)
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
