export type { ClientHello } from './client-hello.ts'
export { NameTable } from './name-table.ts'
export { peekClientHello } from './peek.ts'
