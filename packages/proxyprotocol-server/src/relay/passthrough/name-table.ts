// The name itself, then `*.` before ever shorter ends.

export class NameTable<T> {
  readonly #entries = new Map<string, T>()

  add(pattern: string, entry: T): void {
    this.#entries.set(pattern, entry)
  }

  find(name: string): T | undefined {
    let found = this.#entries.get(name)
    for (let at = name.indexOf('.'); found === undefined && at !== -1; at = name.indexOf('.', at + 1)) {
      found = this.#entries.get(`*${name.slice(at)}`)
    }
    return found
  }
}
