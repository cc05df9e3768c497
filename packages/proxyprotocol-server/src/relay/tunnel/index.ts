// The tunnel between a downstream and an upstream socket.

export type { Traffic } from './direction.ts'
export { readBuffered } from './read-buffered.ts'
export { tunnel } from './tunnel.ts'
