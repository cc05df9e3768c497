// The server of ssh2 behind attach(): it runs a command for a client that has logged in.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { openSocket } from 'proxyprotocol/client'
import ssh2 from 'ssh2'
import { CLIENT, headerOf, HOST, listen } from './support.ts'

test('ssh2 sees the client of a command', async t => {
  const hostKeys = [ssh2.utils.generateKeyPairSync('ed25519').private]
  const ssh = new ssh2.Server({ hostKeys }, (client, { ip, port }) => {
    client.on('error', () => undefined).on('authentication', context => context.accept())
    client.on('session', accept => {
      accept().on('exec', acceptCommand => {
        const channel = acceptCommand()
        channel.exit(0)
        channel.end(`${ip}:${port}`)
      })
    })
  })
  const port = await listen(
    t,
    createServer(socket => ssh.injectSocket(socket)),
  )
  const client = new ssh2.Client()
  client.connect({ sock: openSocket({ host: HOST, port }, headerOf()), username: 'someone' })
  await once(client, 'ready')
  const answer = await new Promise<string>((resolve, reject) => {
    client.exec('who am I', (error, channel) => {
      if (error) reject(error)
      else resolve(text(channel))
    })
  })
  assert.equal(answer, `${CLIENT.address}:${CLIENT.port}`)
  client.end()
  await once(client, 'close')
})
