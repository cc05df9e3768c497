// examples/express.js behind HAProxy with examples/haproxy.cfg, whose ports alone are changed.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { provide } from '../../debian.ts'
import type { Case } from '../../peer.ts'
import { haproxyProgram, type Sections } from './sections.ts'

const CLIENT = '127.0.0.9'

export function example({ harness }: Sections): Promise<readonly Case[]> {
  const run = async (): Promise<string> => {
    const [app, front] = [await harness.port(), await harness.port()]
    const node = { path: process.execPath, environment: { PORT: String(app) } }
    await harness.start(node, [pathOf('express.js')], [app])
    const config = readFileSync(pathOf('haproxy.cfg'), 'utf8').replace(':80\n', `:${front}\n`)
    const file = harness.file('example.cfg', config.replace(':8080 ', `:${app} `))
    await harness.start(provide(haproxyProgram), ['-db', '-f', file], [front])
    const request = get({ host: '127.0.0.1', port: front, localAddress: CLIENT, agent: false })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const answer = await text(response)
    assert.equal(answer, `hello ${CLIENT}\n`)
    return 'req.ip is the client'
  }
  return Promise.resolve([{ direction: 'sends', name: 'send-proxy-v2 to examples/express.js', run }])
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url))
}
