// The programs, one file each; the files in bin/ start them.

export { runEcho } from './echo/index.ts'
export { runInspect } from './inspect/index.ts'
export { runServer } from './server/index.ts'
