// What the workers have reported last, and what those had counted that are gone, in one.

import type { ProcessView, Readiness, ServiceView } from '../../admin/index.ts'
import type { Service } from '../../config/index.ts'
import type { ServiceReport, WorkerReport } from './worker-messages.ts'
import { pastOf, sumOfProcesses, sumOfServices, viewOf } from './worker-sums.ts'

export class WorkerReports<Worker> {
  readonly #last = new Map<Worker, WorkerReport>()
  #past: readonly ServiceReport[] = []
  #pastCpu = 0
  #pastLostLines = 0

  get lostLogLines(): number {
    return this.#all.reduce((sum, report) => sum + report.lostLogLines, this.#pastLostLines)
  }

  /** Connections that are open. */
  get active(): number {
    return this.#all.flatMap(({ services }) => services).reduce((sum, { totals }) => sum + totals.active, 0)
  }

  /** Ready as soon as one is, for all share their sockets; but not where one drains. */
  get readiness(): Readiness {
    const all = this.#all.map(report => report.readiness)
    return (['draining', 'ready'] as const).find(each => all.includes(each)) ?? 'starting'
  }

  /** Takes a report; what it does not list stays as it was listed. */
  add(worker: Worker, report: WorkerReport): void {
    const before = this.#last.get(worker)
    const services = report.services.map(service => {
      const { connections = before?.services.find(({ name }) => name === service.name)?.connections } =
        service
      return { ...service, connections }
    })
    this.#last.set(worker, { ...report, services })
  }

  /** A worker is gone; what it had counted stays. */
  remove(worker: Worker): void {
    const report = this.#last.get(worker)
    this.#last.delete(worker)
    if (report === undefined) return
    this.#past = sumOfServices([...this.#past, ...report.services.map(pastOf)])
    this.#pastCpu += report.process.cpu
    this.#pastLostLines += report.lostLogLines
  }

  /** These services, over all workers. */
  services(configured: readonly Pick<Service, 'name'>[]): readonly ServiceView[] {
    const reports = [...this.#all.flatMap(({ services }) => services), ...this.#past]
    const sums = sumOfServices(reports)
    return configured.flatMap(({ name }) => {
      const now = reports.find(report => report.name === name)
      return now ? sums.filter(sum => sum.name === name).map(sum => viewOf(sum, now)) : []
    })
  }

  allProcesses(own: ProcessView): ProcessView {
    const views = this.#all.map(report => report.process)
    return sumOfProcesses({ ...own, cpu: own.cpu + this.#pastCpu }, views)
  }

  get #all(): readonly WorkerReport[] {
    return [...this.#last.values()]
  }
}
