// Redis, with and without a password.

import { checking } from '../checking.ts'
import { provide, type Debian } from '../debian.ts'
import type { Case, Peer } from '../peer.ts'

const program: Debian = { program: 'redis-server', packages: ['redis-server'], version: ['--version'] }

export const redis: Peer = {
  name: 'redis',
  programs: [program],
  async cases(harness) {
    const cases: Case[] = []
    for (const [what, args] of [
      ['without a password', []],
      ['with a password', ['--requirepass', 'secret']],
    ] as const) {
      const port = await harness.port()
      const listening = ['--bind', '127.0.0.1', '--port', String(port), '--save', '']
      await harness.start(provide(program), [...listening, ...args], [port])
      const upstream = `127.0.0.1:${port}?pp=noop`
      cases.push(
        checking(harness, { name: `${what}, check by Redis`, upstream, check: { type: 'redis' } }),
        checking(harness, {
          ...{ name: `${what}, check by bytes`, upstream },
          check: { type: 'send-expect', timeout: 500, send: 'text:ECHO hello\r\n', expect: 'text:hello' },
          ...(args.length > 0
            ? { fault: /expected "hello", got no answer within 500 ms after "-NOAUTH/ }
            : {}),
        }),
      )
    }
    return cases
  },
}
