// proxyprotocol-echo: shows what arrived, and sends back what follows it.

export { runEcho } from './echo.ts'
