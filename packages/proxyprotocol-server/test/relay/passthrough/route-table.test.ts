import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RouteTable } from '../../../src/relay/passthrough/route-table.ts'

interface Pattern {
  readonly names: readonly string[]
  readonly alpn: readonly string[]
}

function finder(...patterns: readonly Pattern[]): (name: string | undefined, ...alpn: string[]) => number {
  const table = new RouteTable(patterns)
  return (serverName, ...alpn) => {
    const found = table.find({ serverName, alpn: alpn.map(each => Buffer.from(each)) })
    return found === undefined ? -1 : patterns.indexOf(found)
  }
}

test('a route with a protocol comes before one without, whatever the name', () => {
  const find = finder(
    { names: ['a.example'], alpn: [] },
    { names: [], alpn: ['acme-tls/1'] },
    { names: ['a.example'], alpn: ['h2'] },
  )
  assert.equal(find('a.example'), 0)
  assert.equal(find('a.example', 'http/1.1'), 0)
  assert.equal(find('a.example', 'acme-tls/1'), 1)
  assert.equal(find(undefined, 'acme-tls/1'), 1)
  assert.equal(find('a.example', 'h2'), 2)
  assert.equal(find('b.example', 'h2'), -1)
  assert.equal(find(undefined), -1)
})

test('the protocol that the client prefers decides, then the most exact name', () => {
  const find = finder(
    { names: ['*.example'], alpn: ['h2', 'h3'] },
    { names: ['a.example'], alpn: ['h2'] },
    { names: [], alpn: ['http/1.1'] },
  )
  assert.equal(find('a.example', 'h2', 'http/1.1'), 1)
  assert.equal(find('a.example', 'http/1.1', 'h2'), 2)
  assert.equal(find('b.example', 'h3', 'http/1.1'), 0)
  assert.equal(find('a.test', 'h2', 'http/1.1'), 2)
})
