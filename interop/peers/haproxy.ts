// HAProxy: it sends every option of version 2 that it has, from TCP, TLS and UNIX listeners, and health checks; and it takes
// headers in front of HTTP, with TLS and without.

import type { Peer } from '../peer.ts'
import { example } from './haproxy/example.ts'
import { checks, families, toEveryDoor } from './haproxy/plain.ts'
import { receivers } from './haproxy/receivers.ts'
import { haproxyProgram, Sections } from './haproxy/sections.ts'
import { fromTls } from './haproxy/tls.ts'

export const haproxy: Peer = {
  name: 'haproxy',
  always: true,
  programs: [haproxyProgram],
  async cases(harness) {
    const sections = new Sections(harness)
    const cases = []
    for (const group of [toEveryDoor, families, fromTls, checks, receivers, example])
      cases.push(...(await group(sections)))
    await sections.start()
    return cases
  },
}
