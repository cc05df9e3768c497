// Each way the two addresses can speak of the PROXY protocol, and the header that follows from it.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ConfigError, parseService } from '../../src/config/index.ts'

test('parseService() sends version 2 unless the upstream address says otherwise', () => {
  const headers = {
    '': 'v2',
    '?pp=': 'v2',
    '?pp=detect': 'v2',
    '?pp=v2': 'v2',
    '?pp=v1': 'v1',
    '?pp=noop': 'none',
  }
  for (const [query, header] of Object.entries(headers)) {
    assert.equal(parseService(':10007', `192.0.2.1:80${query}`).header, header, query)
  }
})

test('parseService() gives both addresses, each read in its role', () => {
  assert.deepEqual(parseService(':0', ':8080?pp=v1'), {
    listen: { host: undefined, port: 0, pp: undefined },
    upstream: { host: 'localhost', port: 8080, pp: 'v1' },
    accepts: undefined,
    header: 'v1',
  })
})

test('parseService() takes a listen address that expects no header, whoever is trusted elsewhere', () => {
  for (const query of ['', '?pp=', '?pp=noop']) {
    assert.equal(parseService(`:10007${query}`, ':8080').accepts, undefined)
    assert.equal(parseService(`:10007${query}`, ':8080', { trust: 'anyone' }).accepts, undefined)
  }
})

test('parseService() accepts the headers that the listen address names, from whom is trusted', () => {
  const trust = ['10.0.0.0/8']
  for (const version of ['v1', 'v2', 'detect']) {
    assert.deepEqual(parseService(`:10007?pp=${version}`, ':8080', { trust }).accepts, { version, trust })
  }
})

test('parseService() refuses a listen address that expects a header while nobody is trusted, and says what to do', () => {
  for (const pp of ['v1', 'v2', 'detect']) {
    const source = `[::1]:10007?pp=${pp}`
    const message =
      `listen address "${source}": "pp" is "${pp}", so say whose headers are to be believed, with the addresses of the ` +
      'proxies in front: --trust 10.0.0.0/8,2001:db8::1; "--trust anyone" believes whoever connects'
    assert.throws(() => parseService(source, ':8080'), { name: 'ConfigError', message })
  }
})

test('parseService() refuses either address for its own fault, naming its role', () => {
  assert.throws(
    () => parseService('localhost', ':8080'),
    /^ConfigError: listen address "localhost": it names no port/,
  )
  assert.throws(
    () => parseService(':10007', ':0'),
    /^ConfigError: upstream address ":0": the port "0" is not/,
  )
  assert.throws(() => parseService('', ''), ConfigError)
})
