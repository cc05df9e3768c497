// The examples about running a server: shutdown, metrics, probes, and sockets that leave the process.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { openSocket } from 'proxyprotocol/client'
import { CLIENT, headerOf, HOST } from '../support.ts'
import { start, type Check } from './example.ts'

/** Connects behind a header, writes, and gives all that comes back. */
function say(port: number, words: string): Promise<string> {
  const socket = openSocket({ host: HOST, port }, headerOf())
  socket.end(words)
  return text(socket)
}

async function fetchText(port: number, path = '/'): Promise<string> {
  return (await fetch(`http://${HOST}:${port}${path}`)).text()
}

async function statusOf(port: number, path: string): Promise<number> {
  return (await fetch(`http://${HOST}:${port}${path}`)).status
}

const GET = 'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'

export const operations: Readonly<Record<string, Check>> = {
  'shutdown.md 1': async (t, example) => {
    const { child, port, line } = start(t, example, { replace: { 8080: 0 } })
    const socket = openSocket({ host: HOST, port: await port() }, headerOf())
    socket.write(GET)
    await once(socket, 'data') // the request runs
    child.kill('SIGTERM')
    assert.match(await text(socket), /done\n/)
    assert.equal(await line(), 'closed')
  },

  'metrics.md 1': async (t, example) => {
    const { port } = start(t, example, { replace: { 8080: 0, 9464: 0 } })
    const [server, metrics] = [await port(), await port()]
    assert.equal(await say(server, ''), 'hello\n')
    const lines = (await fetchText(metrics)).split('\n')
    assert.ok(lines.includes('connections_accepted_total 1'), lines.join('\n'))
    assert.ok(lines.some(line => /^connections_closed_total\{reason="untrusted_peer"\} 0$/.test(line)))
  },

  'metrics.md 2': async (t, example) => {
    const { port } = start(t, example, { replace: { 8080: 0, 9464: 0 } })
    const [server, metrics] = [await port(), await port()]
    await say(server, GET)
    await assert.rejects(fetchText(server)) // it sends no header
    let lines: string[]
    do lines = (await fetchText(metrics)).trimEnd().split('\n').sort()
    while (lines.length < 2) // the end of a connection may show later than its answer
    assert.deepEqual(lines, [
      'connections_closed_total{reason="done"} 1',
      'connections_rejected_total{code="header_missing"} 1',
    ])
  },

  'kubernetes-probes.md 1': async (t, example) => {
    const { child, port } = start(t, example, { replace: { 8080: 0, 8081: 0, 5000: 2000 } })
    const [app, probes] = [await port(), await port()]
    assert.match(await say(app, GET), new RegExp(`you are ${CLIENT.address}\n$`))
    assert.equal(await statusOf(probes, '/readyz'), 200)
    child.kill('SIGTERM')
    while ((await statusOf(probes, '/readyz')) === 200); // until the signal has arrived
    assert.equal(await statusOf(probes, '/livez'), 200)
    assert.deepEqual(await once(child, 'exit'), [0, null])
  },

  'processes-and-ftp.md 1': async (t, example) => {
    const { port } = start(t, example, { replace: { 8080: 0 } })
    assert.equal(await say(await port(), 'hello'), `you are ${CLIENT.address}, by way of ::ffff:${HOST}\n`)
  },
}
