// Translates the configuration of another proxy: YAML on standard output, and what it cannot say on standard error.

import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { ConfigError, parseConfig } from '../../config/index.ts'
import { createCommand, type ProgramIo, runProgram } from '../program.ts'
import type { Draft, Note } from './draft.ts'
import { fromHaproxy } from './haproxy.ts'
import { fromNginx } from './nginx.ts'
import { withUniqueNames } from './unique-names.ts'

const EXIT_PARTLY = 1

export async function runImport(args: readonly string[], io: ProgramIo): Promise<number> {
  let notes: readonly Note[] = []
  const code = await runProgram(io, () => {
    const command = createCommand('proxyprotocol-server import', io)
      .description('Translate a configuration of HAProxy (mode tcp) or of nginx (stream) to YAML.')
      .argument('<FILE>', 'the configuration')
      .action((file: string) => {
        const { services, notes: found } = translation(file)
        notes = found.toSorted((one, other) => one.line - other.line)
        for (const note of notes) io.error(`${file}:${String(note.line)}: ${note.directive}: ${note.why}\n`)
        if (services.length === 0) throw new ConfigError(`${file} must have a service over TCP, got none`)
        const text = stringify(
          { services: services.map(withUniqueNames) },
          { lineWidth: 0, aliasDuplicateObjects: false },
        )
        parseConfig(text, `the translation of ${file}`)
        io.out(text)
      })
    command.parse(args, { from: 'user' })
    return Promise.resolve()
  })
  return code === 0 && notes.length > 0 ? EXIT_PARTLY : code
}

function translation(file: string): Draft {
  const text = readText(file)
  const draft = /^\s*stream\s*\{/m.test(text) ? fromNginx(text) : fromHaproxy(text)
  if (draft) return draft
  throw new ConfigError(`${file} must be a configuration of HAProxy, or of nginx with "stream { ... }"`)
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`the file cannot be read: ${(error as Error).message}`) // Node throws Error objects only
  }
}
