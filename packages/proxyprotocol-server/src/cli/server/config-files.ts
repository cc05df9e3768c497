import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, type Source } from '../../config/index.ts'

/** Kubernetes keeps the files of a ConfigMap a second time in hidden directories. */
const CONFIG_FILE = /^[^.].*\.(?:yaml|yml|json)$/

/** The files, and those in directories by their names. */
export function readSources(paths: readonly string[]): readonly Source[] {
  try {
    return paths.flatMap(filesAt).map(file => ({ origin: file, content: readFileSync(file, 'utf8') }))
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`the configuration cannot be read: ${(error as Error).message}`) // Node throws Error objects only
  }
}

function filesAt(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path]
  const names = readdirSync(path).filter(name => CONFIG_FILE.test(name))
  if (names.length > 0) return names.sort().map(name => join(path, name))
  throw new ConfigError(`the directory ${path} must have a .yaml, .yml or .json file, got none`)
}
