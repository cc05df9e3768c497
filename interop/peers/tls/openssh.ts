// The client of OpenSSH, and curl's of SMTP, on the port of a relay that passes TLS through.

import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { provide, type Debian } from '../../debian.ts'
import type { Harness } from '../../harness.ts'
import type { Case, Peer } from '../../peer.ts'
import { startService } from '../../relaying.ts'
import { curlProgram } from '../curl.ts'
import { toEnd } from './running.ts'

const sshProgram: Debian = { program: 'ssh', packages: ['openssh-client'], version: ['-V'] }

export const openssh: Peer = {
  name: 'openssh',
  programs: [sshProgram, curlProgram],
  async cases(harness) {
    return [await banner(harness), await greeting(harness)]
  },
}

/** The server sends its banner at once, and keeps the client's. */
async function banner(harness: Harness): Promise<Case> {
  let received = ''
  const port = await startFront(harness, socket => {
    socket.write('SSH-2.0-behind_the_relay\r\n')
    socket.once('data', (chunk: Buffer) => {
      received = chunk.toString('latin1')
      socket.end()
    })
  })
  return {
    direction: 'chain',
    name: 'ssh on the port of TLS, by its banner',
    run: async () => {
      const args = ['-v', '-F', 'none', '-o', 'BatchMode=yes', '-p', String(port), 'someone@127.0.0.1']
      const { text } = await toEnd(provide(sshProgram), args)
      assert.match(text, /remote software version behind_the_relay/)
      assert.match(received, /^SSH-2\.0-OpenSSH/)
      return 'both banners'
    },
  }
}

/** A client of SMTP waits for the greeting, so that the relay must choose without a byte of it. */
async function greeting(harness: Harness): Promise<Case> {
  const port = await startFront(harness, socket => {
    socket.write('220 mail.example\r\n')
    socket.on('data', (chunk: Buffer) => {
      const isLast = chunk.toString().startsWith('QUIT')
      if (isLast) socket.end('221 bye\r\n')
      else socket.write('250 yes\r\n')
    })
  })
  return {
    direction: 'chain',
    name: 'a silent client of SMTP on the port of TLS',
    run: async () => {
      const { code, text } = await toEnd(provide(curlProgram), [
        ...['--disable', '--noproxy', '*', '--verbose', '--max-time', '20'],
        ...['--request', 'NOOP', `smtp://127.0.0.1:${port}/`],
      ])
      assert.match(text, /< 220 mail\.example[^]*< 250 yes/)
      assert.equal(code, 0)
      return 'the greeting'
    },
  }
}

async function startFront(harness: Harness, serve: (socket: Socket) => void): Promise<number> {
  const port = await harness.port()
  const server = createServer(socket => {
    serve(socket.on('error', () => undefined))
  }).listen(port, '127.0.0.1')
  harness.atEnd(() => server.close())
  return startService(harness, {
    listen: '127.0.0.1:0',
    upstream: '127.0.0.1:1',
    passthrough: { fallback: { upstreams: [`127.0.0.1:${port}?pp=noop`], timeout: 300 } },
  })
}
