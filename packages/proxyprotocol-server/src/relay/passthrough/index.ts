// TLS that is passed through undecrypted: what its ClientHello says, and where connections for a name go.

export type { ClientHello } from './client-hello.ts'
export { NameTable } from './name-table.ts'
export { peekClientHello } from './peek.ts'
