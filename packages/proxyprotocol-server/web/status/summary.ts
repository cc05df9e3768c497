// The head of the page: program, state, and sums of all services with their last minute.

import type { StatsDocument } from '../../dist/figures/index.js'
import { byId, element } from '../element.ts'
import { Children, setAttribute, setText, type View } from './view.ts'
import { bytes, count, duration, milliseconds } from './format.ts'
import { spark, type Series } from './spark.ts'
import { sumOf } from './trouble.ts'

interface Fact {
  readonly label: string
  readonly value: string
}

interface Sum extends Fact {
  readonly series: Series
  readonly format: (value: number) => string
  readonly detail: string
}

const levels = { starting: 'warn', ready: 'good', no_upstream: 'bad', draining: 'warn' } as const

export class Summary {
  readonly #facts = new Children<Fact>(byId('process', HTMLElement), {
    keyOf: ({ label }) => label,
    make: fact,
  })
  readonly #sums = new Children<Sum>(byId('sums', HTMLElement), { keyOf: ({ label }) => label, make: sum })

  #before: StatsDocument | undefined

  show(document: StatsDocument): void {
    const state = byId('state', HTMLElement)
    setText(byId('version', HTMLElement), document.version)
    setText(state, document.state)
    setAttribute(state, 'class', `badge ${levels[document.state]}`)
    this.#facts.show(factsOf(document, cpuOf(document, this.#before)))
    this.#before = document
    this.#sums.show(sumsOf(document))
  }
}

function factsOf({ process }: StatsDocument, cpu: number): readonly Fact[] {
  const { uptime, pid, residentMemory, openFiles, maxFiles, eventLoopDelay } = process
  const files = openFiles === null ? 'unknown' : count(openFiles)
  return [
    { label: 'up', value: duration(uptime) },
    { label: 'pid', value: String(pid) },
    { label: 'memory', value: bytes(residentMemory) },
    { label: 'files', value: maxFiles === null ? files : `${files} of ${count(maxFiles)}` },
    { label: 'event loop', value: `${milliseconds(eventLoopDelay.p99)} late` },
    { label: 'cpu', value: `${cpu.toFixed(1)} %` },
  ]
}

function cpuOf({ process }: StatsDocument, before: StatsDocument | undefined): number {
  const since = before?.process.pid === process.pid ? before.process : { cpu: 0, uptime: 0 }
  return (100 * (process.cpu - since.cpu)) / Math.max(1, process.uptime - since.uptime)
}

function sumsOf({ totals, lastMinute }: StatsDocument): readonly Sum[] {
  const { accepted, errors, bytesUp, bytesDown } = lastMinute
  const perSecond = (value: number): string => `${count(value)}/s`
  const rate = (value: number): string => `${bytes(value)}/s`
  const last = (series: readonly number[]): number => series.at(-1) ?? 0
  return [
    {
      ...{ label: 'Connections', value: `${count(totals.active)} open`, format: perSecond },
      series: { values: accepted },
      detail: `${perSecond(last(accepted))} new, ${count(totals.accepted)} in all`,
    },
    {
      ...{ label: 'Errors', value: perSecond(last(errors)), format: perSecond },
      series: { values: [], errors },
      detail: `${count(sumOf(errors))} in 60 s, ${count(totals.errors)} in all`,
    },
    {
      ...{ label: 'Up', value: rate(last(bytesUp)), format: rate },
      ...{ series: { values: bytesUp }, detail: `${bytes(totals.bytesUp)} in all` },
    },
    {
      ...{ label: 'Down', value: rate(last(bytesDown)), format: rate },
      ...{ series: { values: bytesDown }, detail: `${bytes(totals.bytesDown)} in all` },
    },
  ]
}

function fact(): View<Fact> {
  const [label, value] = [element('dt'), element('dd')]
  return {
    element: element('div', {}, label, value),
    update: each => {
      setText(label, each.label)
      setText(value, each.value)
    },
  }
}

function sum(): View<Sum> {
  const [label, value, detail] = [
    element('dt'),
    element('dd', { class: 'value' }),
    element('dd', { class: 'detail' }),
  ]
  const place = element('dd')
  let chart: View<Series> | undefined
  return {
    element: element('div', {}, label, value, place, detail),
    update: each => {
      if (!chart) {
        chart = spark(each.label, each.format)
        place.append(chart.element)
      }
      setText(label, each.label)
      setText(value, each.value)
      setText(detail, each.detail)
      chart.update(each.series)
    },
  }
}
