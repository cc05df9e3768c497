import { createSecureContext, getCiphers } from 'node:tls'
import { z } from 'zod'
import { nearest } from '../../text/index.ts'
import { meta } from '../keys.ts'

/** OpenSSL ignores names in a list that it does not know, so each is tried alone. */
function cipherProblem(list: string): string | undefined {
  const unknown = list.split(/[:, ]/).find(name => !isCipher(name))
  if (unknown === undefined) return undefined
  const known = getCiphers().map(name => name.toUpperCase())
  const meant = nearest(unknown, known)
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`
  return `must be an OpenSSL list of ciphers, got ${JSON.stringify(unknown)}${hint}`
}

/** Excluded ones (`!RC4`) may be unknown to this OpenSSL, and `@SECLEVEL=2` is a rule. */
function isCipher(name: string): boolean {
  if (/^[!@-]/.test(name)) return true
  try {
    createSecureContext({ ciphers: name.replace(/^\+/, '') })
    return name !== ''
  } catch {
    return false
  }
}

export const ciphersSchema: z.ZodType<string | undefined, string | undefined> = z
  .string()
  .meta({ examples: ['ECDHE+AESGCM:ECDHE+CHACHA20', 'TLS_AES_256_GCM_SHA384'] })
  .check(({ value, issues }) => {
    const message = cipherProblem(value)
    if (message !== undefined) issues.push({ code: 'custom', message, input: value })
  })
  .optional()
  .meta(
    meta({
      description:
        'Ciphers in the notation of OpenSSL, separated by colons. Those of TLS 1.3 start with `TLS_` and keep ' +
        'their default if none is named.',
      defaultIs: 'those of Node',
    }),
  )
