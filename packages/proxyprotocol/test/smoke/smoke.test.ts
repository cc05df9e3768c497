// The smoke suite of the other runtimes holds on Node as well.

import { test } from 'node:test'
import { smokeCases } from './cases.ts'
import { datagramCases } from './datagrams.ts'

for (const [name, run] of Object.entries({ ...smokeCases(process.versions), ...datagramCases() }))
  test(`every runtime: ${name}`, run)
