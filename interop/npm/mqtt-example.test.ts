// examples/mqtt.js, run where the packages of this folder are found.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MqttClient } from 'mqtt'
import { openSocket } from 'proxyprotocol/client'
import { CLIENT, headerOf, HOST } from './support.ts'

const copy = fileURLToPath(new URL('node_modules/.examples/mqtt.js', import.meta.url))

test('examples/mqtt.js knows the address of a client', async t => {
  mkdirSync(new URL('.', `file://${copy}`), { recursive: true })
  copyFileSync(new URL('../../examples/mqtt.js', import.meta.url), copy)
  const child = spawn(process.execPath, [copy], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill())
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const port = Number(/port: (\d+)/.exec(String((await lines.next()).value))?.[1])
  const client = new MqttClient(() => openSocket({ host: HOST, port }, headerOf()), {
    clientId: 'sensor',
    reconnectPeriod: 0,
  })
  assert.equal((await lines.next()).value, `sensor is ${CLIENT.address}`)
  await client.endAsync()
})
