// A place in a configuration, in JavaScript's notation: `services[0].timeouts.idle`.

/** Keys and indices, from the outside in. */
export function showPath(path: readonly PropertyKey[]): string {
  return path
    .map(key => (typeof key === 'number' ? `[${String(key)}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
}
