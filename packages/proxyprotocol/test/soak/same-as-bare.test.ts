// A server behind a header does what the bare server does, whatever follows the header and however it is cut. Each stream has
// a seed: sound and malformed HTTP/1, HTTP/2 and ClientHellos, in the header's segment, cut anywhere, or in a later segment.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { comparedKinds, differences } from '../support/same-as-bare.ts'

/** Streams of each kind: seconds in the gate, thousands in `npm run test:soak`. */
const STREAMS = process.env['SOAK_SECONDS'] === undefined ? 80 : 3_000

for (const kind of comparedKinds) {
  test(`${kind}: ${STREAMS} streams give the same events, bytes and exceptions with a header as without`, async () => {
    assert.deepEqual(await differences(kind, { first: 1, count: STREAMS }), [])
  })
}
