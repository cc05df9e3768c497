// Joins the last reports of all workers with the counts of former ones.

import {
  endedService,
  mergedRefusals,
  shownService,
  sumOfProcesses,
  sumOfServices,
  type LiveConnection,
  type ProcessFigures,
  type Readiness,
  type Refusal,
  type ServiceFigures,
} from '../../figures/index.ts'
import { isNamed, type Service } from '../../config/index.ts'
import type { WorkerReport } from './worker-messages.ts'

interface Reported extends Omit<WorkerReport, 'services'> {
  readonly services: ReadonlyMap<string, ServiceFigures>
}

export class WorkerReports<Worker> {
  readonly #last = new Map<Worker, Reported>()
  readonly #past = new Map<string, ServiceFigures>()
  #pastCpu = 0
  #pastLostLines = 0
  #pastRefusals: readonly Refusal[] = []

  get lostLogLines(): number {
    return this.#all.reduce((sum, report) => sum + report.lostLogLines, this.#pastLostLines)
  }

  get refusals(): readonly Refusal[] {
    return mergedRefusals([this.#pastRefusals, ...this.#all.map(report => report.refusals)])
  }

  get active(): number {
    return this.#services.reduce(
      (sum, { totals, datagrams }) => sum + totals.active + (datagrams?.flows.active ?? 0),
      0,
    )
  }

  /** One ready worker is enough, because they share sockets. Services of UDP have one worker each. */
  readiness(needs: readonly string[] = []): Readiness {
    const all = this.#all.map(report => report.readiness)
    const found = (['draining', 'ready', 'no_upstream'] as const).find(each => all.includes(each))
    const lacks = ({ name, datagrams, upstreams }: ServiceFigures): boolean =>
      datagrams !== undefined &&
      needs.some(need => isNamed(name, need)) &&
      !upstreams.some(({ state }) => state === 'up')
    return found === 'ready' && this.#services.some(lacks) ? 'no_upstream' : (found ?? 'starting')
  }

  add(worker: Worker, report: WorkerReport): void {
    const connections = report.connections ?? this.#last.get(worker)?.connections
    const services = new Map(report.services.map(service => [service.name, service]))
    this.#last.set(worker, { ...report, services, connections })
  }

  remove(worker: Worker): void {
    const report = this.#last.get(worker)
    this.#last.delete(worker)
    if (report === undefined) return
    for (const [name, service] of report.services) {
      const [ended, before] = [endedService(service), this.#past.get(name)]
      this.#past.set(name, before ? sumOfServices(before, ended) : ended)
    }
    this.#pastCpu += report.process.cpu
    this.#pastLostLines += report.lostLogLines
    this.#pastRefusals = mergedRefusals([this.#pastRefusals, report.refusals])
  }

  *services(configured: readonly Pick<Service, 'name'>[]): Generator<ServiceFigures> {
    for (const { name } of configured) {
      const reports = [...this.#all.map(({ services }) => services.get(name)), this.#past.get(name)]
      const [now, ...others] = reports.filter(service => service !== undefined)
      if (now) yield shownService(others.reduce(sumOfServices, now), now)
    }
  }

  connections(service: string): readonly LiveConnection[] {
    const all = this.#all.flatMap(({ connections }) => connections?.get(service) ?? [])
    return all.sort((one, other) => other.age - one.age)
  }

  allProcesses(own: ProcessFigures): ProcessFigures {
    const processes = this.#all.map(report => report.process)
    return processes.reduce(sumOfProcesses, { ...own, cpu: own.cpu + this.#pastCpu })
  }

  get #services(): readonly ServiceFigures[] {
    return this.#all.flatMap(({ services }) => [...services.values()])
  }

  get #all(): readonly Reported[] {
    return [...this.#last.values()]
  }
}
