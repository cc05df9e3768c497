// The programs, one file each; the files in bin/ start them.

export { runEcho } from './echo.ts'
export { runServer } from './server.ts'
