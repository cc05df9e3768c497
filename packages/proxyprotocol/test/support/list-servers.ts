// Name servers that hold the same block lists, each a process of its own: one on dns-packet, and rbldnsd, which lists
// are really served by, where it is installed.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** By zone: the codes of each name with a TTL of 300 s, or what happens to every query. */
export type Lists = Readonly<
  Record<string, Readonly<Record<string, readonly string[]>> | 'SERVFAIL' | 'REFUSED' | 'SILENCE'>
>

export interface ListServer {
  /** What `Resolver#setServers` takes. */
  readonly address: string
  stop(): Promise<void>
}

const LISTS: Lists = {
  'zen.spamhaus.org': {
    '1.2.0.192.zen.spamhaus.org': ['127.0.0.2'],
    '4.2.0.192.zen.spamhaus.org': ['127.0.0.10', '127.0.0.4'],
    '254.2.0.192.zen.spamhaus.org': ['127.255.255.254'],
    [`1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.zen.spamhaus.org`]: ['127.0.0.3'],
  },
  'empty.example': {},
  'broken.example': 'SERVFAIL',
  'refusing.example': 'REFUSED',
  'silent.example': 'SILENCE',
}

/** The same as files of rbldnsd, which refuses or drops by an access list, and does not serve what has expired. */
const FILES = {
  zen4: [
    '$TTL 300',
    '192.0.2.1 :127.0.0.2:',
    '192.0.2.4 :127.0.0.10:',
    '192.0.2.4 :127.0.0.4:',
    '192.0.2.254 :127.255.255.254:',
  ],
  zen6: ['$TTL 300', '2001:db8::1/128 :127.0.0.3:'],
  empty: ['198.51.100.1 :127.0.0.2:'],
  expired: ['$TIMESTAMP 2001-01-01 2001-01-02', '192.0.2.1 :127.0.0.2:'],
  refuse: ['127.0.0.1 :refuse'],
  ignore: ['127.0.0.1 :ignore'],
}
const ZONES = [
  'zen.spamhaus.org:ip4set:zen4',
  'zen.spamhaus.org:ip6trie:zen6',
  'empty.example:ip4set:empty',
  'broken.example:ip4set:expired',
  'refusing.example:ip4set:empty',
  'refusing.example:acl:refuse',
  'silent.example:ip4set:empty',
  'silent.example:acl:ignore',
]

const RBLDNSD = '/usr/sbin/rbldnsd'

/** How to start each server that there is on this machine. */
export const listServers: Readonly<Record<string, () => Promise<ListServer>>> = {
  'dns-packet': startDnsPacket,
  ...(existsSync(RBLDNSD) && { rbldnsd: startRbldnsd }),
}

async function startDnsPacket(): Promise<ListServer> {
  const script = fileURLToPath(new URL('list-server-process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.send(LISTS)
  const [port] = (await once(child, 'message')) as [number]
  return { address: `127.0.0.1:${port}`, stop: () => ended(child) }
}

async function startRbldnsd(): Promise<ListServer> {
  const folder = mkdtempSync(join(tmpdir(), 'proxyprotocol-'))
  chmodSync(folder, 0o755) // started by root, it reads as another user
  for (const [name, lines] of Object.entries(FILES))
    writeFileSync(join(folder, name), `${lines.join('\n')}\n`)
  const port = await freePort()
  const child = spawn(RBLDNSD, ['-n', '-b', `127.0.0.1/${port}`, '-w', folder, ...ZONES], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  process.once('exit', () => child.kill()) // it would outlive a test that fails to stop it
  let output = ''
  for await (const piece of child.stdout.iterator({ destroyOnReturn: false })) {
    output += String(piece)
    if (output.includes(' started ')) break
  }
  if (!output.includes(' started ')) throw new Error(`rbldnsd did not start: ${output}`)
  child.stdout.resume()
  return {
    address: `127.0.0.1:${port}`,
    stop: async () => {
      await ended(child)
      rmSync(folder, { recursive: true })
    },
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill()
  await exit
}

/** One that was free a moment ago: rbldnsd takes no 0. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}
