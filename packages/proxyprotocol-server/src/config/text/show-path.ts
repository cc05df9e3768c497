// A place in a configuration, in JavaScript's notation: `services[0].timeouts.idle`.

/** As in JavaScript: `services[0].timeouts.idle`. */
export function showPath(path: readonly PropertyKey[]): string {
  return path
    .map(key => (typeof key === 'number' ? `[${String(key)}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
}
