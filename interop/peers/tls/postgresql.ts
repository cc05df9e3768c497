// psql asks for TLS in front of its ClientHello, and the relay passes it on to the server of that name.

import assert from 'node:assert/strict'
import { chmodSync, chownSync } from 'node:fs'
import { aCertificate } from 'test-support/named-certificates'
import { provide, type Debian } from '../../debian.ts'
import type { Harness } from '../../harness.ts'
import type { Case } from '../../peer.ts'
import { startService } from '../../relaying.ts'
import { toEnd, type Said } from './running.ts'

export const psqlProgram: Debian = {
  program: 'psql',
  packages: ['postgresql-client-15'],
  version: ['--version'],
}

/** The arguments of a server for a.example. Its key must be its own. */
export function tlsArguments(harness: Harness, owner: number): readonly string[] {
  const [cert, key] = [harness.file('a.crt', aCertificate.cert), harness.file('a.key', aCertificate.key)]
  chmodSync(key, 0o600)
  if (process.getuid?.() === 0) chownSync(key, owner, owner)
  return ['-c', 'ssl=on', '-c', `ssl_cert_file=${cert}`, '-c', `ssl_key_file=${key}`]
}

/** @param user logs in without a password. */
export async function clientCases(
  harness: Harness,
  upstream: string,
  user: string,
): Promise<readonly Case[]> {
  const port = await startService(harness, {
    listen: '127.0.0.1:0',
    passthrough: {
      unknownNames: 'reject',
      routes: [{ names: ['a.example'], upstreams: [upstream] }],
    },
  })
  const authority = harness.file('root.crt', aCertificate.cert)
  const ask = (host: string, mode: string): Promise<Said> => {
    const where = `host=${host} hostaddr=127.0.0.1 port=${port} user=${user} dbname=postgres`
    const query = 'SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
    return toEnd(provide(psqlProgram), ['-Atc', query, `${where} sslmode=${mode} sslrootcert=${authority}`])
  }
  return [
    querying('sslmode=require', () => ask('a.example', 'require')),
    querying('sslmode=verify-full', () => ask('a.example', 'verify-full')),
    {
      direction: 'chain',
      name: 'psql, a server name without a route',
      run: async () => {
        const { code, text } = await ask('b.example', 'require')
        assert.equal(code, 2)
        assert.match(text, /tlsv1 unrecognized name/)
        return 'alert 112'
      },
    },
  ]
}

function querying(name: string, ask: () => Promise<Said>): Case {
  return {
    direction: 'chain',
    name: `psql, ${name}`,
    run: async () => {
      const { text } = await ask()
      assert.equal(text, 't|TLSv1.3\n')
      return 'TLSv1.3, end to end'
    },
  }
}
