// Options with defaults.

/** Any part of the options. */
export type Optional<T> = { readonly [Key in keyof T]?: T[Key] | undefined }

/** The defaults, and what is given in their place. */
export function filled<T extends object>(defaults: T, given: Optional<T>): T {
  const values = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(values) }
}
