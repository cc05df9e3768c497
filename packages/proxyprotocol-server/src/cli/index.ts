// The programs, one file each; the files in bin/ start them.

export { runEcho } from './echo.ts'
export { runInspect } from './inspect.ts'
export { runServer } from './server.ts'
