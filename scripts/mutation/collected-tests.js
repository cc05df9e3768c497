// What stands in for node:test where mutants are tested: it collects tests instead of running them, so that one process
// runs them for hundreds of mutants, and each mutant only those that reach it.

import { mock } from 'node:test'

/** @typedef {(t: Context) => unknown} Body */
/** @typedef {{ name: string, body: Body }} CollectedTest */

/**
 * All tests that were loaded.
 *
 * @type {CollectedTest[]}
 */
export const collected = []

/** @type {string[]} */
const outer = []

/**
 * @param {string} name
 * @param {...unknown} rest options, which mean nothing here, and the body
 */
export function test(name, ...rest) {
  collected.push({ name: [...outer, name].join(' > '), body: /** @type {Body} */ (rest.at(-1)) })
}

/**
 * @param {string} name
 * @param {() => void} body
 */
export function describe(name, body) {
  outer.push(name)
  body()
  outer.pop()
}

/**
 * Runs one test to its end, whatever it leaves open included.
 *
 * @param {CollectedTest} test
 */
export async function run({ name, body }) {
  const context = new Context(name)
  try {
    await body(context)
  } finally {
    await context.end()
  }
}

/** Of node:test's context, what the tests of this repository use. */
class Context {
  /** @type {(() => unknown)[]} */
  #afters = []
  mock = mock

  /** @param {string} name */
  constructor(name) {
    this.name = name
  }

  /** @param {() => unknown} hook */
  after(hook) {
    this.#afters.push(hook)
  }

  /**
   * @param {string} name
   * @param {...unknown} rest
   */
  async test(name, ...rest) {
    await run({ name, body: /** @type {Body} */ (rest.at(-1)) })
  }

  async end() {
    this.mock.reset()
    for (const hook of this.#afters) await hook()
  }
}
