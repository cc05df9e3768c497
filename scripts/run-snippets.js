// Runs the blocks of the documentation that say so, each in a process of its own, which has to end by itself. What they name
// is there: `key.pem` and `cert.pem`, and proxyprotocol-echo at port 10007. That port is replaced by a free one. So is every port
// that a block listens on, and then no server keeps the process alive.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import ts from 'typescript'
import { root } from './files.js'

/** @typedef {{ file: string, line: number, path: string, text: string }} Snippet */
/** @typedef {{ folder: string, compilerOptions: ts.CompilerOptions }} Surroundings */

const echo = join(root, 'packages', 'proxyprotocol-server', 'bin', 'proxyprotocol-echo.js')
const certificates = join(root, 'packages', 'test-support', 'certificates.ts')

/** A port that a reader connects to while the program runs. */
const FIXED_PORT = /\.(listen|bind)\(\d{4,5}\b/g
const unrefServers = new URL('unref-servers.js', import.meta.url).href

/** Milliseconds for one block. */
const TIMEOUT = 20_000

/**
 * Runs them, as many at a time as there are processors.
 *
 * @param {Snippet[]} snippets
 * @param {Surroundings} surroundings
 * @returns {Promise<string[]>} what goes wrong
 */
export async function failures(snippets, { folder, compilerOptions }) {
  writeCertificate(folder)
  const { port, stop } = await startEcho()
  const options = { ...compilerOptions, module: ts.ModuleKind.ESNext, inlineSourceMap: true }
  /** @type {string[]} */
  const found = []
  const queue = snippets.values()
  const worker = async () => {
    for (const snippet of queue) {
      const { outputText } = ts.transpileModule(snippet.text, {
        compilerOptions: options,
        fileName: snippet.path,
      })
      const program = `${snippet.path}.run.js`
      const free = outputText.replaceAll(FIXED_PORT, '.$1(0')
      writeFileSync(program, free.replaceAll('10007', port))
      const args = free === outputText ? [program] : ['--import', unrefServers, program]
      found.push(...(await failure(snippet, args, folder)))
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  stop()
  return found
}

/** @param {string} folder */
function writeCertificate(folder) {
  const pem = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g
  const [key, cert] = readFileSync(certificates, 'utf8').match(pem) ?? []
  writeFileSync(join(folder, 'key.pem'), `${String(key)}\n`)
  writeFileSync(join(folder, 'cert.pem'), `${String(cert)}\n`)
}

async function startEcho() {
  const program = spawn(process.execPath, [echo, '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = /** @type {unknown[]} */ (await once(program.stdout, 'data'))
  const [, port] = /address=127\.0\.0\.1:(\d+)/.exec(String(line)) ?? []
  if (port === undefined) throw new Error(`proxyprotocol-echo does not listen: ${String(line)}`)
  program.stdout.resume()
  return { port, stop: () => program.kill() }
}

/**
 * @param {Snippet} snippet
 * @param {string[]} args
 * @param {string} folder
 */
async function failure({ file, line }, args, folder) {
  const child = spawn(process.execPath, ['--enable-source-maps', ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: TIMEOUT,
  })
  const [stderr, [code, signal]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  if (code === 0) return []
  return [`${file}:${line} - does not run (${String(signal ?? `exit code ${String(code)}`)}):\n${stderr}`]
}
