export type { Traffic } from './direction.ts'
export { readBuffered } from './read-buffered.ts'
export { tunnel } from './tunnel.ts'
