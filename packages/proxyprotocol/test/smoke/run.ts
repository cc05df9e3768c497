// Runs the smoke cases on whatever runtime runs this file, and prints what failed and then the sum, as node:test does.

import { bunServeCases } from './bun-serve.ts'
import { smokeCases } from './cases.ts'
import { datagramCases } from './datagrams.ts'

/** Milliseconds for one case: a hundred times what the slowest takes. */
const TIMEOUT = 10_000

const cases = Object.entries({ ...smokeCases(process.versions), ...bunServeCases(), ...datagramCases() })
let passed = 0
for (const [name, run] of cases) {
  try {
    await inTime(run())
    passed++
  } catch (error) {
    console.error(`✖ ${name}\n`, error)
  }
}
console.log(`ℹ tests ${cases.length}\nℹ pass ${passed}\nℹ fail ${cases.length - passed}`)
process.exit(passed === cases.length ? 0 : 1) // a case that hangs has left something open

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`it took longer than ${TIMEOUT} ms`))
    }, TIMEOUT)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
