export { runEcho } from './echo/index.ts'
export { runInspect } from './inspect/index.ts'
export { runServer } from './server/index.ts'
