// Counts the source files whose functions run for one connection: from 'connection' to the handler of createServer(), and from
// accept to the log line of proxyprotocol-server. It runs what `npm run build` has built, one file for each source.
//
// node scripts/walk.js            both counts
// node scripts/walk.js --files    the files too

import { EventEmitter, once } from 'node:events'
import { Session } from 'node:inspector/promises'
import net from 'node:net'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { runServer } from '../packages/proxyprotocol-server/dist/cli/index.js'
import { processIo } from '../packages/proxyprotocol-server/dist/cli/program.js'
import { Log } from '../packages/proxyprotocol-server/dist/log/index.js'
import { createServer } from '../packages/proxyprotocol/dist/server/index.js'

const HOST = '127.0.0.1'
/** Milliseconds for the end of the connection before, which is no part of the walk. */
const PAUSE = 100
const HEADER = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'

const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

show("from 'connection' to the handler", await walkToHandler())
show('from accept to the log line', await walkToLogLine())

/** The files whose functions have run since the last call; the top of a module has no name. */
async function takeFiles() {
  const { result } = await session.post('Profiler.takePreciseCoverage')
  return result
    .filter(({ url }) => /\/packages\/[^/]+\/dist\//.test(url))
    .filter(({ functions }) => functions.some(({ functionName: name, ranges }) => name && ranges[0]?.count))
    .map(({ url }) => url.replace(/^.*\/packages\/([^/]+)\/dist\/(.*)\.js$/, '$1/src/$2.ts'))
    .sort()
}

/** @param {EventEmitter} reached */
async function emitFiles(reached) {
  reached.emit('files', await takeFiles())
}

/**
 * Walks twice, because the first connection also runs what is done once.
 *
 * @param {number} port
 * @param {EventEmitter} reached emits the files at the end of each walk
 * @returns {Promise<readonly string[]>}
 */
async function walk(port, reached) {
  let files = []
  for (let connections = 0; connections < 2; connections++) {
    await setTimeout(PAUSE)
    await takeFiles()
    const ended = once(reached, 'files')
    const socket = net.connect(port, HOST).resume()
    socket.end(HEADER)
    await once(socket, 'close')
    ;[files] = await ended
  }
  return files
}

async function walkToHandler() {
  const reached = new EventEmitter()
  const server = createServer({ trust: [HOST] }, () => emitFiles(reached))
  const { port } = /** @type {net.AddressInfo} */ (await server.listen(0, HOST))
  const files = await walk(port, reached)
  await server.close()
  return files
}

async function walkToLogLine() {
  const upstream = net.createServer(socket => socket.end('hello').resume()).listen(0, HOST)
  await once(upstream, 'listening')
  const { port } = /** @type {net.AddressInfo} */ (upstream.address())
  const reached = new EventEmitter()
  const signals = new EventEmitter()
  const log = new Log(line => {
    const [, bound] = / listening address=\S+:(\d+)/.exec(line) ?? []
    if (bound === undefined) void emitFiles(reached)
    else reached.emit('port', Number(bound))
  })
  const io = { ...processIo, log, on: signals.on.bind(signals), off: signals.off.bind(signals) }
  const listening = once(reached, 'port')
  const ended = runServer(['--service', `${HOST}:0`, `${HOST}:${port}`], io)
  const [bound] = await listening
  const files = await walk(Number(bound), reached)
  signals.emit('SIGTERM')
  await ended
  upstream.close()
  return files
}

/** @param {string} what @param {readonly string[]} files */
function show(what, files) {
  console.log(`${files.length} files run ${what}`)
  if (process.argv.includes('--files')) for (const file of files) console.log(`  ${file}`)
}
