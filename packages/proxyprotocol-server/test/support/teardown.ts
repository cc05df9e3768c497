// What a test set up is taken down in the opposite order, as a stack is: node:test runs its own hooks first in, first out.

import type { TestContext } from 'node:test'

type Step = () => unknown

const stacks = new WeakMap<TestContext, Step[]>()

/** Runs `step` at the test's end, before all that were registered earlier; a step that throws fails the test. */
export function atEnd(t: TestContext, step: Step): void {
  const stack = stacks.get(t)
  if (stack) stack.push(step)
  else {
    const steps = [step]
    stacks.set(t, steps)
    t.after(() => unwind(steps))
  }
}

async function unwind(steps: Step[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps.reverse()) {
    try {
      await step()
    } catch (failure) {
      failures.push(failure)
    }
  }
  if (failures.length > 0) throw failures[0]
}
