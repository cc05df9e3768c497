// A test runner for Stryker that loads the tests once and runs them in its own process: starting node for each of
// thousands of mutants would take hours.

import { register } from 'node:module'
import { resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { declareClassPlugin, PluginKind, tokens, commonTokens } from '@stryker-mutator/api/plugin'
import { DryRunStatus, MutantRunStatus, TestStatus } from '@stryker-mutator/api/test-runner'
import { collected, run } from './collected-tests.js'

/** @typedef {import('@stryker-mutator/api/test-runner').MutantRunOptions} MutantRunOptions */
/** @typedef {import('@stryker-mutator/api/test-runner').MutantRunResult} MutantRunResult */
/** @typedef {import('@stryker-mutator/api/test-runner').DryRunResult} DryRunResult */
/** @typedef {import('@stryker-mutator/api/test-runner').TestResult} TestResult */

/** What mutated code asks for which mutant is active, and tells which it passed. */
const context = /** @type {{ __stryker__?: import('@stryker-mutator/api/core').InstrumenterContext }} */ (
  globalThis
)

class CollectedTestRunner {
  static inject = tokens(commonTokens.options)
  #loaded = false

  /** @param {import('@stryker-mutator/api/core').StrykerOptions} options */
  constructor({ collected }) {
    this.testFiles = /** @type {string[]} */ (collected) // the schema below has checked it
  }

  capabilities() {
    return { reloadEnvironment: false }
  }

  /** @returns {Promise<DryRunResult>} */
  async dryRun() {
    const stryker = (context.__stryker__ ??= {})
    await this.#load()
    /** @type {TestResult[]} */
    const tests = []
    for (const [at, test] of collected.entries()) {
      const id = String(at)
      stryker.currentTestId = id
      const start = performance.now()
      const fault = await faultOf(test)
      const result = { id, name: test.name, timeSpentMs: Math.round(performance.now() - start) }
      if (fault === undefined) tests.push({ ...result, status: TestStatus.Success })
      else tests.push({ ...result, status: TestStatus.Failed, failureMessage: fault })
    }
    delete stryker.currentTestId
    return {
      status: DryRunStatus.Complete,
      tests,
      mutantCoverage: stryker.mutantCoverage ?? { static: {}, perTest: {} },
    }
  }

  /**
   * @param {MutantRunOptions} options
   * @returns {Promise<MutantRunResult>}
   */
  async mutantRun({ activeMutant, mutantActivation, hitLimit, testFilter }) {
    const stryker = (context.__stryker__ ??= {})
    Object.assign(stryker, { hitCount: hitLimit === undefined ? undefined : 0, hitLimit })
    if (mutantActivation === 'static') stryker.activeMutant = activeMutant.id
    try {
      await this.#load()
    } catch (error) {
      return { status: MutantRunStatus.Killed, killedBy: ['0'], failureMessage: String(error), nrOfTests: 0 }
    }
    stryker.activeMutant = activeMutant.id
    const ids = testFilter ?? collected.map((_, at) => String(at))
    for (const id of ids) {
      const test = collected[Number(id)]
      const fault = test && (await faultOf(test))
      if (hitLimit !== undefined && (stryker.hitCount ?? 0) > hitLimit)
        return { status: MutantRunStatus.Timeout, reason: 'hit limit reached' }
      if (fault !== undefined)
        return {
          status: MutantRunStatus.Killed,
          killedBy: [id],
          failureMessage: fault,
          nrOfTests: ids.length,
        }
    }
    return { status: MutantRunStatus.Survived, nrOfTests: ids.length }
  }

  async #load() {
    if (this.#loaded) return
    this.#loaded = true
    register('./resolve.js', import.meta.url)
    process.on('unhandledRejection', () => undefined) // mutants leave them; the tests' own expectations find those that matter
    process.on('uncaughtException', () => undefined)
    for (const file of this.testFiles) await import(pathToFileURL(resolve(file)).href)
  }
}

/**
 * What a test fails with.
 *
 * @param {import('./collected-tests.js').CollectedTest} test
 */
async function faultOf(test) {
  try {
    await run(test)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The option that names the test files. */
export const strykerValidationSchema = {
  properties: { collected: { type: 'array', items: { type: 'string' } } },
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'collected', CollectedTestRunner)]
