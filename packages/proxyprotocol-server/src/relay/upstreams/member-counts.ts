// What is counted of a member.

import type { ErrorCode } from 'proxyprotocol'
import type { UpstreamCounts } from '../../figures/index.ts'

export class MemberCounts {
  active = 0
  total = 0
  readonly checks = { passed: 0, failed: 0 }
  readonly #failures = new Map<ErrorCode, number>()

  failed(code: ErrorCode): void {
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1)
  }

  view(): UpstreamCounts {
    return { active: this.active, total: this.total, failures: Object.fromEntries(this.#failures) }
  }
}
