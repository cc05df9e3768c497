// On a line of Node that is not known yet, Node makes the sockets. What differs most by the socket is tested there again.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const later = new URL('../support/later-node.ts', import.meta.url).href

const files = [
  ...['socket/reset', 'socket/truncation', 'socket/program-tls', 'socket/connection-info'],
  ...[
    'header/exact-reader',
    'attach/pause-on-connect',
    'attach/attach',
    'tls/tls-payload',
    'lifecycle/timers',
  ],
]

for (const file of files) {
  test(`${file}.test.ts passes where Node makes the sockets`, async () => {
    const path = fileURLToPath(new URL(`${file}.test.ts`, import.meta.url))
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
    const child = spawn(process.execPath, ['--import', 'tsx', '--import', later, path], { env })
    const [output, errors, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ])
    assert.equal(code, 0, output + errors)
  })
}
