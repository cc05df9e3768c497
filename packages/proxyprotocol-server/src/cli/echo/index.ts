// proxyprotocol-echo: shows each header and echoes what follows.

export { runEcho } from './echo.ts'
