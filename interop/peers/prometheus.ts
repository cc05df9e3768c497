// Prometheus: its promtool reads the metrics of the real program in every state, and judges by our alert rules what it read.
// The tests that stand beside the rules are run as well.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { provide, type Debian } from '../debian.ts'
import type { Case, Peer } from '../peer.ts'
import type { Harness } from '../harness.ts'
import { startProgram, type Program } from './prometheus/program.ts'
import { run } from './prometheus/promtool.ts'
import { ruleTest } from './prometheus/rule-test.ts'
import { states, type State } from './prometheus/states.ts'

const program: Debian = { program: 'promtool', packages: ['prometheus'], version: ['--version'] }

const RULES = fileURLToPath(new URL('../../deploy/prometheus/alerts.yml', import.meta.url))
const RULE_TESTS = fileURLToPath(new URL('../../deploy/prometheus/alerts.test.yml', import.meta.url))

export const prometheus: Peer = {
  name: 'prometheus',
  always: true,
  programs: [program],
  cases: harness =>
    Promise.resolve([
      checking('check rules', ['check', 'rules', RULES]),
      checking('test rules, alerts.test.yml', ['test', 'rules', RULE_TESTS]),
      ...states.map(state => scraping(harness, state)),
    ]),
}

function checking(name: string, args: readonly string[]): Case {
  return {
    direction: 'decodes',
    name,
    run: () => {
      run(provide(program), args)
      return Promise.resolve('no fault')
    },
  }
}

/** The program in one state: `check metrics` finds no fault, and exactly the alerts of that state fire. */
function scraping(harness: Harness, state: State): Case {
  return {
    direction: 'decodes',
    name: `check metrics and test rules, ${state.name}`,
    run: async () => {
      const running = await startProgram(harness, await state.configuration(harness))
      const before = await settledScrape(running, state)
      await state.traffic?.(running.ports)
      const after = await settledScrape(running, state)
      await running.end()
      const promtool = provide(program)
      run(promtool, ['check', 'metrics'], after)
      harness.file('alerts.yml', readFileSync(RULES))
      const test = ruleTest({ rules: 'alerts.yml', before, after, ...state })
      run(promtool, ['test', 'rules', harness.file('scrape.test.yml', JSON.stringify(test, undefined, 1))])
      const names = new Set(state.firing.map(({ alertname }) => alertname))
      return names.size === 0 ? 'no alert' : [...names].join(', ')
    },
  }
}

/** Metrics say what has changed when asked, and do not tell when it changes. */
async function settledScrape(running: Program, { isReached }: State): Promise<string> {
  for (;;) {
    const text = await running.scrape()
    if (isReached?.(text) ?? true) return text
  }
}
