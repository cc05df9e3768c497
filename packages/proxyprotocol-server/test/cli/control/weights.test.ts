import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adjusted, configured, keptWeights, withWeight } from '../../../src/cli/control/weights.ts'
import { parseConfig } from '../../../src/config/index.ts'

const file = parseConfig({
  services: [
    {
      name: 'tls',
      listen: ['127.0.0.1:1', '127.0.0.1:2'],
      upstreams: [{ address: '192.0.2.1:1', name: 'a' }, '192.0.2.2:1'],
      passthrough: {
        routes: [{ names: ['a.example'], upstreams: [{ address: '192.0.2.3:1', name: 'b' }] }],
        fallback: { upstreams: [{ address: '192.0.2.4:1', name: 'c' }] },
      },
    },
    { name: 'other', listen: '127.0.0.1:3', upstreams: [{ address: '192.0.2.1:1', name: 'a' }] },
  ],
})

for (const [upstream, address] of [
  ['a', '192.0.2.1:1'],
  ['b', '192.0.2.3:1'],
  ['c', '192.0.2.4:1'],
] as const) {
  test(`the weight of ${upstream} holds at all addresses of its service, and for no other service`, () => {
    const weights = withWeight([], file, { target: { service: 'tls', upstream }, weight: 5 })
    const after = adjusted(file, weights)
    const set = configured(after).filter(({ weight }) => weight === 5)
    assert.deepEqual(
      set.map(each => [each.service.slice(0, 4), each.address]),
      [
        ['tls/', address],
        ['tls/', address],
      ],
    )
    assert.equal(after.services[2], file.services[2])
  })
}

test('the weight of an upstream behind TLS that ends here holds for its route', () => {
  const listen = 'ssl://127.0.0.1:4?cert=web.crt&key=web.key'
  const routes = [{ names: ['a.example'], upstreams: [{ address: '192.0.2.5:1', name: 'd' }] }]
  const ended = parseConfig({ services: [{ name: 'web', listen, upstream: '192.0.2.1:1', tls: { routes } }] })
  const target = { service: 'web', upstream: 'd' }
  const [service] = adjusted(ended, withWeight([], ended, { target, weight: 5 })).services
  assert.deepEqual(
    service?.tls?.routes.map(({ pool }) => pool.upstreams[0]?.weight),
    [5],
  )
})

test('the weight of the file does not count as a difference', () => {
  assert.deepEqual(withWeight([], file, { target: { service: 'other', upstream: 'a' }, weight: 1 }), [])
})

test('without weights the configuration is the one of the file', () => {
  assert.equal(adjusted(file, []), file)
  const target = { service: 'other', upstream: 'a' }
  const weights = withWeight([], file, { target, weight: 0 })
  assert.deepEqual(keptWeights(weights, file), weights)
  assert.deepEqual(withWeight(weights, file, { target, weight: undefined }), [])
  assert.deepEqual(keptWeights(weights, { ...file, services: file.services.slice(0, 2) }), [])
})

test('a reload without weights does not look at the services', () => {
  const unread = new Proxy(file, { get: () => assert.fail('it was read') })
  assert.deepEqual(keptWeights([], unread), [])
})
