// The inputs that mutation starts from: the vectors, the corpus that was kept, and what turned out new since.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { vectorFiles } from 'proxyprotocol/vectors'

import type { Random } from 'test-support/random'
import { mutate } from '../mutate.ts'

const CORPUS = fileURLToPath(new URL('../corpus.txt', import.meta.url))
/** Bytes: a longer input is worth no more. */
const MAX_KEPT_BYTES = 300
const MAX_POOL = 4_000
/** Lines of the corpus: one for each signature that no vector has, up to here. */
const MAX_CORPUS = 200

/** Inputs by what is known of them. */
export class Pool {
  readonly #inputs: Uint8Array[]
  readonly #signatures = new Set<string>()
  readonly #new: Uint8Array[] = []
  readonly #first: ReadonlySet<Uint8Array>

  constructor() {
    const vectors = vectorFiles.flatMap(({ vectors }) => vectors.map(({ bytes }) => bytes))
    const lines = readFileSync(CORPUS, 'utf8').split('\n')
    const kept = lines.filter(line => line !== '').map(line => Uint8Array.from(Buffer.from(line, 'hex')))
    this.#inputs = [...vectors, ...kept]
    this.#first = new Set(this.#inputs)
  }

  /** What there was before the first mutation. */
  get inputs(): readonly Uint8Array[] {
    return this.#inputs
  }

  get signatures(): number {
    return this.#signatures.size
  }

  next(random: Random): Uint8Array {
    return mutate(random.pick(this.#inputs), random)
  }

  /** Keeps an input whose signature is new. */
  saw(input: Uint8Array, signature: string): void {
    if (this.#signatures.has(signature)) return
    this.#signatures.add(signature)
    if (this.#first.has(input)) return
    if (this.#inputs.length < MAX_POOL) this.#inputs.push(input)
    if (input.length <= MAX_KEPT_BYTES) this.#new.push(input)
  }

  /** Adds to the corpus what is new, the shortest first. */
  write(): void {
    const lines = readFileSync(CORPUS, 'utf8')
      .split('\n')
      .filter(line => line !== '')
    const added = this.#new
      .map(input => Buffer.from(input).toString('hex'))
      .toSorted((a, b) => a.length - b.length)
    writeFileSync(CORPUS, `${[...new Set([...lines, ...added])].slice(0, MAX_CORPUS).join('\n')}\n`)
  }
}
