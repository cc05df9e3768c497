export type { Traffic } from './direction.ts'
export {
  HandleConnection,
  type HandleService,
  handlesWork,
  type PairTimes,
  type TcpHandle,
  testHandles,
} from './handles/index.ts'
export { readBuffered } from './read-buffered.ts'
export { tunnel } from './tunnel.ts'
