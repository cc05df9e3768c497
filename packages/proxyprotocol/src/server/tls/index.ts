// TLS behind the header: its options, and the handshake.

export { TlsAcceptor } from './acceptor.ts'
export { checkTls } from './options.ts'
export { peekByte, type PeekOptions } from './peek-byte.ts'
