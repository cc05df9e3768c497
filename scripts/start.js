// npm start: the proxy in front of the echo server, both on loopback, until Ctrl-C.
// `npm start -- PROXY_PORT ECHO_PORT` takes other ports than 10000 and 10007; 0 lets the system choose.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Milliseconds: soon enough to run it again, and no load. */
const PARENT_CHECK_INTERVAL = 500
/** What ends a program is an address in use, as good as always. */
const OTHER_PORTS =
  'If a port is in use, give others: npm start -- PROXY_PORT ECHO_PORT, for example npm start -- 0 0 for free ones.'

/** @type {import('node:child_process').ChildProcess[]} */
const children = []

/** Each program is told to stop once; a second time would cut its drain short, and is for the user to say. */
let stopping = false

function stop() {
  stopping = true
  for (const child of children) child.kill('SIGTERM')
}

/**
 * Starts a program, passes its lines on, and resolves with the address it listens at, or undefined when it ended before
 * or is to end.
 *
 * @param {string} name
 * @param {string[]} args
 * @returns {Promise<string | undefined>}
 */
async function start(name, args) {
  if (stopping) return undefined
  const program = fileURLToPath(new URL(`../packages/proxyprotocol-server/bin/${name}.js`, import.meta.url))
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return new Promise(resolve => {
    createInterface({ input: child.stdout }).on('line', line => {
      console.log(`${name} | ${line}`)
      const listening = / listening address=(\S+)/.exec(line)
      if (listening) resolve(listening[1])
    })
    child.once('exit', code => {
      if (code !== 0) process.exitCode = code ?? 1
      if (code !== 0 && !stopping) console.error(OTHER_PORTS)
      resolve(undefined)
      if (!stopping) stop() // one without the other is of no use
    })
  })
}

process.on('SIGTERM', stop).on('SIGINT', () => {
  stopping = true // a terminal's Ctrl-C has reached the programs already
})

if (process.env['npm_lifecycle_event'] === 'start') {
  // npm passes a signal to the shell between it and us, which dies of it without a word: we have another parent then.
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent && !stopping) stop()
  }, PARENT_CHECK_INTERVAL).unref()
}

const [proxyPort = '10000', echoPort = '10007'] = process.argv.slice(2)
const echo = await start('proxyprotocol-echo', ['--page', `127.0.0.1:${echoPort}`])
const proxy = echo && (await start('proxyprotocol-server', ['--service', `127.0.0.1:${proxyPort}`, echo]))
if (proxy) {
  console.log(
    `\nIn another terminal type:  nc ${proxy.replace(':', ' ')}   (or: curl telnet://${proxy}) and then anything: it comes back.`,
  )
  console.log(
    `Above, proxyprotocol-echo then shows your address as the source, although its peer is the proxy; in a browser, http://${proxy}/ shows the header. Ctrl-C ends both.\n`,
  )
}
