// The client side: connections that start with a header.

export { connect, type ConnectOptions } from './connect.ts'
export { headerFor, type HeaderForOptions } from './header-for.ts'
