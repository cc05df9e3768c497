// Importing JSON makes Node 20 warn. Tests check the files, so casts are safe.

import { readdirSync, readFileSync } from 'node:fs'
import type { SppVector, Vector, VectorFile } from './vector.ts'

const SPP_FILE = 'spp.json'
const folder = new URL('../../vectors/', import.meta.url)

/**
 * Every test vector, by file.
 *
 * @example
 * ```ts run
 * import { vectorFiles } from 'proxyprotocol/vectors'
 *
 * for (const { name, vectors } of vectorFiles) console.log(name, vectors.length)
 * ```
 */
export const vectorFiles: readonly VectorFile[] = readdirSync(folder)
  .filter(name => name !== SPP_FILE)
  .sort()
  .map(name => ({ name, vectors: withBytes(load(name) as readonly Omit<Vector, 'bytes'>[]) }))

/**
 * Datagrams of Simple Proxy Protocol, right and wrong.
 *
 * @example
 * ```ts run
 * import { decodeSpp } from 'proxyprotocol'
 * import { sppVectors } from 'proxyprotocol/vectors'
 *
 * console.log(sppVectors.every(({ bytes, expected }) => decodeSpp(bytes).status === expected.status)) // true
 * ```
 */
export const sppVectors: readonly SppVector[] = withBytes(
  load(SPP_FILE) as readonly Omit<SppVector, 'bytes'>[],
)

function load(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
}

function withBytes<V extends { readonly hex: string }>(
  vectors: readonly V[],
): readonly (V & { readonly bytes: Uint8Array })[] {
  return vectors.map(vector => ({ ...vector, bytes: bytesOf(vector.hex) }))
}

/** A Buffer is often part of a pool. */
function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}
