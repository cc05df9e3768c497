// The examples about applications on HTTP: each answers with the address of its client.

import assert from 'node:assert/strict'
import { ask } from '../asking.ts'
import { CLIENT } from '../support.ts'
import { run, start, type Check } from './example.ts'

const YOU = `you are ${CLIENT.address}\n`
const FORGED = '203.0.113.9'

export const web: Readonly<Record<string, Check>> = {
  'apollo.md 1': async (t, example) => {
    const { port } = start(t, example, { replace: { 4000: 0 }, register: true })
    const headers = { 'content-type': 'application/json' }
    const answer = await ask(await port(), { headers, body: '{ "query": "{ you }" }' })
    assert.deepEqual(JSON.parse(answer), { data: { you: CLIENT.address } })
  },

  'cdn.md 1': async (t, example) => {
    const { port } = start(t, example, { replace: { 8080: 0 } })
    const at = await port()
    const headers = { 'x-forwarded-for': `${FORGED}, ${CLIENT.address}` }
    assert.equal(await ask(at, { headers, address: '203.0.113.7' }), YOU)
    assert.equal(await ask(at, { headers: { 'x-forwarded-for': FORGED } }), YOU)
  },

  'nestjs.md 1': async (t, example) => {
    const replace = { 3000: 0, "'./app.module.js'": `'${fixture('app.module.js')}'` }
    const { child, port } = start(t, example, { replace })
    child.stdout?.resume()
    assert.equal(await ask(await port()), YOU)
  },

  'nextjs.md 1': async (t, example) => {
    const replace = { 3000: 0, "'next'": `'${fixture('next.cjs')}'` }
    const { port } = start(t, example, { replace })
    assert.equal(await ask(await port(), { headers: { 'x-forwarded-for': FORGED } }), YOU)
  },

  'nextjs.md 2': async (t, example) => {
    const { code } = example
    const server = `import next from '${fixture('next.cjs')}'\nhttp.createServer(next().getRequestHandler()).listen(0)\n`
    const { port } = start(t, { ...example, code: `import http from 'node:http'\n${code}${server}` })
    assert.equal(await ask(await port(), { headers: { 'x-forwarded-for': FORGED } }), YOU)
  },

  'testing.md 1': run,
  'testing.md 2': run,
}

function fixture(name: string): string {
  return new URL(`fixtures/${name}`, import.meta.url).href
}
