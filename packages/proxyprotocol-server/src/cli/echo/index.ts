export { runEcho } from './echo.ts'
