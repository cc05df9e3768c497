// TLS behind the header.

export { TlsAcceptor } from './acceptor.ts'
export { checkTls } from './options.ts'
export { peekByte, type PeekOptions } from './peek-byte.ts'
