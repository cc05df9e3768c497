// The table of services, each with its upstreams below it.

import type { ServiceShown } from '../../dist/figures/index.js'
import { badge } from './badge.ts'
import { byId, element } from '../element.ts'
import { Children, setText, type View } from './view.ts'
import { datagramsText, droppedOf } from './datagrams.ts'
import { bytes, count, countOr, duration, plural } from './format.ts'
import { gauge, spark } from './spark.ts'
import { headOf, row, several, text, words, type Column } from './table.ts'
import { activeOf, levelOfService, limitOf, sumOf, takenOf, troublesOfService } from './trouble.ts'
import { upstreamLine, upstreamLines, type UpstreamLine } from './upstreams.ts'

const number = { kind: 'number' }
const rare = { kind: 'number rare' }

const serviceColumns: readonly Column<ServiceShown>[] = [
  { label: 'Service', make: serviceName, kind: 'name' },
  { label: 'State', make: () => badge(levelOfService, ({ state }) => state), kind: 'state' },
  { label: 'Now', make: nowOfLimit, ...number, help: 'Connections or flows that are open' },
  text('Most', ({ peak, datagrams }) => (datagrams ? '' : count(peak)), {
    ...number,
    help: 'The most at once, looked at once a second',
  }),
  text('Limit', service => countOr(limitOf(service), 'none'), number),
  text('Waiting', ({ pending, datagrams }) => (datagrams ? '' : count(pending)), {
    ...rare,
    help: 'Those that wait for a header or for a place',
  }),
  text('Total', ({ accepted, datagrams }) => count(datagrams?.flows.opened ?? accepted), {
    ...number,
    help: 'Connections or flows since the start',
  }),
  {
    label: 'New /s',
    make: accepted,
    kind: 'chart',
    help: 'Accepted each second of the last minute, errors in red',
  },
  text('Up', ({ bytesUp, datagrams }) => bytes(datagrams?.up.bytes ?? bytesUp), {
    ...number,
    help: 'From clients to upstreams',
  }),
  text('Down', ({ bytesDown, datagrams }) => bytes(datagrams?.down.bytes ?? bytesDown), {
    ...number,
    help: 'From upstreams to clients',
  }),
  { label: 'Traffic', make: traffic, kind: 'chart', help: 'Both ways, each second of the last minute' },
  {
    label: 'Errors',
    make: errors,
    ...number,
    help: 'Ended for another reason than done or probe; of UDP, datagrams dropped',
  },
  text('By reason', reasonsText, { kind: 'reasons' }),
]

export class ServicesTable {
  readonly #children: Children<ServiceShown>
  readonly #filter = byId('services-filter', HTMLInputElement)
  readonly #onlyTrouble = byId('services-trouble', HTMLInputElement)
  #services: readonly ServiceShown[] = []

  constructor() {
    const table = byId('services', HTMLTableElement)
    table.setAttribute('role', 'table')
    const after = table.appendChild(headOf(serviceColumns))
    this.#children = new Children(table, { keyOf: ({ name }) => name, make: serviceGroup, after })
    for (const control of [this.#filter, this.#onlyTrouble])
      control.addEventListener('input', () => this.#render())
  }

  show(services: readonly ServiceShown[]): void {
    this.#services = services
    this.#render()
  }

  #render(): void {
    const wanted = this.#filter.value.trim().toLowerCase()
    const shown = this.#services.filter(
      service =>
        textOf(service).includes(wanted) &&
        (!this.#onlyTrouble.checked || troublesOfService(service).length > 0),
    )
    this.#children.show(shown)
    const hidden = this.#services.length - shown.length
    setText(byId('services-count', HTMLElement), count(this.#services.length))
    setText(byId('services-note', HTMLElement), hidden > 0 ? `${plural(hidden, 'service')} filtered out` : '')
  }
}

function textOf({ name, address, upstream, upstreams }: ServiceShown): string {
  const places = upstreams.flatMap(each => [
    ...[each.name, each.address, each.route],
    ...each.members.map(({ address: at }) => at),
  ])
  return [name, address, upstream, ...places].join(' ').toLowerCase()
}

function serviceGroup(): View<ServiceShown> {
  const group = element('tbody', { role: 'rowgroup' })
  const service = row(serviceColumns, () => 'service')
  group.append(service.element)
  const upstreams = new Children<UpstreamLine>(group, {
    keyOf: ({ key }) => key,
    make: upstreamLine,
    after: service.element,
  })
  return {
    element: group,
    update: each => {
      service.update(each)
      upstreams.show(upstreamLines(each))
    },
  }
}

function serviceName(): View<ServiceShown> {
  return several(
    words(({ name }) => name, { class: 'title' }),
    words(whatItDoes, { class: 'detail' }),
    words(whomItAdmits, { class: 'detail' }),
    words(({ datagrams }) => (datagrams ? datagramsText(datagrams) : ''), { class: 'detail' }),
  )
}

function whatItDoes({ name, address, expects, sends }: ServiceShown): string {
  const place = address === null ? 'does not listen' : address === name ? '' : `at ${address}`
  const takes = expects === null ? 'expects none' : `expects ${expects}`
  return [place, takes, `sends ${sends}`].filter(part => part !== '').join(', ')
}

function whomItAdmits({ access, rate, reasons, busiestSource, limits }: ServiceShown): string {
  const perSource = limits['perSource'] ?? null
  return [
    access && `lists let in ${count(access.allowed)}, denied ${count(access.denied)}`,
    rate &&
      `rate ${count(rate.connections)} in ${duration(rate.per)}: busiest used ${count(rate.used)} of ${count(rate.burst)}, ` +
        `${count(reasons.limit_rate)} refused`,
    perSource && `busiest source ${count(busiestSource)} of ${count(perSource)}`,
  ]
    .filter(part => part !== null)
    .join('; ')
}

function nowOfLimit(): View<ServiceShown> {
  const bar = gauge()
  return several(
    words(service => count(activeOf(service))),
    {
      element: bar.element,
      update: each => {
        bar.element.toggleAttribute('hidden', limitOf(each) === null)
        bar.update(takenOf(each))
      },
    },
  )
}

function accepted(): View<ServiceShown> {
  const chart = spark('Accepted', value => `${count(value)}/s`)
  return several(
    {
      element: chart.element,
      update: ({ lastMinute, datagrams }) => {
        chart.element.toggleAttribute('hidden', datagrams !== null)
        chart.update({ values: lastMinute.accepted, errors: lastMinute.errors })
      },
    },
    words(({ lastMinute, datagrams }) => (datagrams ? '' : `${count(lastMinute.accepted.at(-1) ?? 0)}/s`), {
      class: 'rate',
    }),
  )
}

function traffic(): View<ServiceShown> {
  const chart = spark('Bytes', value => `${bytes(value)}/s`)
  const both = ({ lastMinute: { bytesUp, bytesDown } }: ServiceShown): readonly number[] =>
    bytesUp.map((value, second) => value + (bytesDown[second] ?? 0))
  return several(
    {
      element: chart.element,
      update: each => {
        chart.element.toggleAttribute('hidden', each.datagrams !== null)
        chart.update({ values: both(each) })
      },
    },
    words(each => (each.datagrams ? '' : `${bytes(both(each).at(-1) ?? 0)}/s`), { class: 'rate' }),
  )
}

function errors(): View<ServiceShown> {
  return several(
    words(({ errors: ended, datagrams }) => count(datagrams ? droppedOf(datagrams) : ended)),
    words(
      ({ lastMinute }) => {
        const recent = sumOf(lastMinute.errors)
        return recent > 0 ? `${count(recent)} in 60 s` : ''
      },
      { class: 'recent' },
    ),
  )
}

function reasonsText({ reasons, datagrams }: ServiceShown): string {
  return Object.entries<number>(datagrams?.dropped ?? reasons)
    .filter(([reason, times]) => times > 0 && reason !== 'done' && reason !== 'probe')
    .sort(([, a], [, b]) => b - a)
    .map(([reason, times]) => `${reason} ${count(times)}`)
    .join(', ')
}
