// TLS that passes through undecrypted: reading the ClientHello, and routes by server name.

export type { ClientHello } from './client-hello.ts'
export { NameTable } from './name-table.ts'
export { peekClientHello } from './peek.ts'
