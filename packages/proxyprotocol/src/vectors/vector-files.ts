// Reads the vectors from JSON files beside src and dist, because importing JSON makes Node 20 warn.

import { readdirSync, readFileSync } from 'node:fs'
import type { Vector, VectorFile } from './vector.ts'

const folder = new URL('../../vectors/', import.meta.url)

/**
 * Every vector of this library's tests, by file.
 *
 * @example
 * ```ts run
 * import { vectorFiles } from 'proxyprotocol/vectors'
 *
 * for (const { name, vectors } of vectorFiles) console.log(name, vectors.length)
 * ```
 */
export const vectorFiles: readonly VectorFile[] = readdirSync(folder)
  .sort()
  .map(name => ({ name, vectors: load(name) }))

function load(file: string): readonly Vector[] {
  const text = readFileSync(new URL(file, folder), 'utf8')
  const data = JSON.parse(text) as readonly Omit<Vector, 'bytes'>[] // our own files, which tests check
  return data.map(vector => ({ ...vector, bytes: bytesOf(vector.hex) }))
}

/** Memory of its own; a Buffer is often part of a pool. */
function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}
