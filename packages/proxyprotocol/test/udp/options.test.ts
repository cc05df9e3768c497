// Wrong options of attachDatagrams() are refused by name.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { attachDatagrams } from '../../src/udp/index.ts'

for (const [options, message] of [
  [undefined, 'options must be an object, got undefined'],
  [{}, "trust must be a list of CIDRs, 'anyone' or a function, got undefined"],
  [
    { trust: 'anyone', frames: 1 },
    'options must have only trust, framing, untrusted, missing, limits, timeouts, got "frames"',
  ],
  [{ trust: 'anyone', framing: 'v1' }, "framing must be 'v2' or 'spp' or 'unsafe-first', got \"v1\""],
  [{ trust: 'anyone', untrusted: 'reject' }, "untrusted must be 'drop' or 'direct', got \"reject\""],
  [{ trust: 'anyone', missing: true }, "missing must be 'drop' or 'direct', got true"],
  [
    { trust: 'anyone', limits: { flow: 1 } },
    'limits must have only flows, perSource, headerBytes, got "flow"',
  ],
  [{ trust: 'anyone', limits: { flows: 0 } }, 'limits.flows must be a positive integer or Infinity, got 0'],
  [
    { trust: 'anyone', limits: { perSource: 1.5 } },
    'limits.perSource must be a positive integer or Infinity, got 1.5',
  ],
  [
    { trust: 'anyone', limits: { headerBytes: 15 } },
    'limits.headerBytes must be an integer from 16 to 65551, got 15',
  ],
  [{ trust: 'anyone', timeouts: { idle: 1 } }, 'timeouts must have only flow, confirmed, got "idle"'],
  [
    { trust: 'anyone', timeouts: { flow: 0 } },
    'timeouts.flow must be milliseconds from 1 to 2147483647, got 0',
  ],
  [
    { trust: 'anyone', timeouts: { confirmed: 0 } },
    'timeouts.confirmed must be milliseconds from 1 to 2147483647, got 0',
  ],
  [
    { trust: 'anyone', timeouts: { flow: 9, confirmed: 8 } },
    'timeouts.confirmed must be at least timeouts.flow, got 8',
  ],
  [
    { trust: 'anyone', framing: 'unsafe-first' },
    "timeouts.flow must be longer than the proxy's timeout with framing 'unsafe-first', got undefined",
  ],
] as const) {
  test(`attachDatagrams() refuses options: ${message}`, t => {
    const socket = createSocket('udp4')
    t.after(() => socket.close())
    assert.throws(() => attachDatagrams(socket, untyped(options)), { message })
    attachDatagrams(socket, {
      trust: 'anyone',
      framing: undefined,
      limits: undefined,
      timeouts: { flow: undefined },
    })
  })
}
