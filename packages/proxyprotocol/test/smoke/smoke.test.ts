// The smoke suite of the other runtimes holds on Node as well.

import { test } from 'node:test'
import { smokeCases } from './cases.ts'

for (const [name, run] of Object.entries(smokeCases(process.versions))) test(`every runtime: ${name}`, run)
