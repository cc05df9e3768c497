// An admin listener for a test, about whatever the test says there is.

import type { TestContext } from 'node:test'
import { AdminServer, type AdminSource } from '../../src/admin/index.ts'
import { atEnd } from './teardown.ts'

export interface TestAdmin {
  readonly admin: AdminServer
  readonly port: number
  readonly errors: unknown[]
}

/** A program that is ready and has no services. */
export function adminSource(more: Partial<AdminSource> = {}): AdminSource {
  return {
    ...{ version: '1.2.3', readiness: () => 'ready', services: () => [], connections: () => [] },
    ...{ refusals: () => [], lostLogLines: () => 0, ...more },
  }
}

export async function startAdmin(
  t: TestContext,
  source: Partial<AdminSource> = {},
  hosts: readonly string[] = [],
): Promise<TestAdmin> {
  const errors: unknown[] = []
  const admin = new AdminServer(adminSource(source), { hosts, onError: error => errors.push(error) })
  atEnd(t, () => admin.close())
  const { port } = await admin.listen({ port: 0 })
  return { admin, port, errors }
}
