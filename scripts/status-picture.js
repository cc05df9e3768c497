// Takes the picture of the status page for the documentation, docs/images/status.png: the real program with real connections
// of made-up clients, after a minute of traffic. `npm run docs:status-picture`

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { chromium } from 'playwright-core'
import { encodeHeader } from 'proxyprotocol'
import { root } from './files.js'

/** Milliseconds: what the bars show. */
const TRAFFIC = 62_000
const BROWSER = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

const folder = mkdtempSync(join(tmpdir(), 'proxyprotocol-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
const { ports, admin } = await startProgram(await configuration())
startTraffic(ports)
await wait(TRAFFIC)
mkdirSync(join(root, 'docs', 'images'), { recursive: true })
await takePicture(`http://127.0.0.1:${admin}/`, join(root, 'docs', 'images', 'status.png'))
process.exit()

/** Three services; one of the upstreams is not there, another waits for its turn. */
async function configuration() {
  const [first, second, spare, api, mail] = await Promise.all(Array.from({ length: 5 }, startUpstream))
  const [listen, trust] = ['127.0.0.1:0?pp=detect', ['127.0.0.1']]
  const upstreams = [
    { name: 'app-1', address: first, weight: 2 },
    { name: 'app-2', address: second },
    { name: 'app-3', address: '127.0.0.1:9' },
    { name: 'spare', address: spare, backup: true },
  ]
  const services = [
    { name: 'web', listen, trust, upstreams, health: { fails: 2, cooldown: 1_000_000 } },
    { name: 'api', listen, trust, upstreams: [{ name: 'api-1', address: api }], limits: { connections: 12 } },
    { name: 'mail', listen: '127.0.0.1:0', upstreams: [{ name: 'mx', address: `${String(mail)}?pp=v1` }] },
  ]
  return { services, admin: { listen: '127.0.0.1:0' } }
}

/** Answers each chunk with twelve times as much. Resolves with its address. */
async function startUpstream() {
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => socket.destroy())
    socket.on('data', chunk => socket.write(Buffer.alloc(12 * chunk.length)))
    socket.on('end', () => socket.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return `127.0.0.1:${port}`
}

/** @param {Awaited<ReturnType<typeof configuration>>} config */
async function startProgram(config) {
  const file = join(folder, 'proxy.json')
  writeFileSync(file, JSON.stringify(config))
  const bin = join(root, 'packages', 'proxyprotocol-server', 'bin', 'proxyprotocol-server.js')
  const program = spawn(process.execPath, [bin, '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] })
  process.on('exit', () => program.kill('SIGKILL'))
  /** @type {number[]} */
  const found = []
  for await (const line of createInterface({ input: program.stdout })) {
    const [, port] = / (?:listening|admin) .*?address=127\.0\.0\.1:(\d+)/.exec(line) ?? []
    if (port !== undefined && found.push(Number(port)) > config.services.length) break
  }
  program.stdout.resume()
  const [admin, ...ports] = found // the admin listener is there first
  return { ports, admin }
}

/** @param {number[]} ports of the services web, api and mail */
function startTraffic([web = 0, api = 0, mail = 0]) {
  let clients = 0
  /** @param {number} port */
  const client = (port, hasHeader = port !== mail) => {
    const number = ++clients
    const socket = connect(port, '127.0.0.1').resume()
    socket.on('error', () => socket.destroy())
    if (hasHeader) socket.write(encodeHeader(clientHeader(number)))
    return socket
  }
  const long = [web, web, web, api, web, api, web, mail, web, api, mail, web].map(port => client(port))
  setInterval(() => {
    for (let left = 1 + 3 * Math.abs(Math.sin(Date.now() / 9_000)); left > 0; left--)
      client(web).end('x'.repeat(600 + 5_000 * Math.random()))
    for (const socket of long) if (Math.random() < 0.1) socket.write('y'.repeat(9_000 * Math.random()))
    if (Math.random() < 0.02) client(web, false).end('GET / HTTP/1.1\r\n\r\n')
    if (Math.random() < 0.1) client(Math.random() < 0.5 ? api : mail).end('EHLO client.example\r\n')
  }, 200)
}

/**
 * Addresses that are set aside for documentation.
 *
 * @param {number} number
 */
function clientHeader(number) {
  const isIPv6 = number % 4 === 0
  const address = isIPv6 ? `2001:db8:4f2::${number.toString(16)}` : `198.51.100.${number % 250}`
  const destination = { address: isIPv6 ? '2001:db8::443' : '203.0.113.10', port: 443 }
  return { source: { address, port: 40_000 + (number % 20_000) }, destination }
}

/**
 * @param {string} url
 * @param {string} path
 */
async function takePicture(url, path) {
  const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] })
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } })
  await page.goto(url)
  await page.locator('#connections tbody tr').first().waitFor()
  await wait(2_500)
  await page.screenshot({ path })
  await browser.close()
}
