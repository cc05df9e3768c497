// The header that describes an accepted connection.

export { headerFor, type HeaderForOptions } from './header-for.ts'
export type { TlsFact } from './tls-facts.ts'
