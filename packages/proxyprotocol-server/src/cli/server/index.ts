export { runServer } from './server.ts'
