// The clients that were turned away last, each with what to do about it.

import type { RefusalShown, StatsDocument } from '../../dist/figures/index.js'
import { byId } from '../element.ts'
import { Children, setText } from './view.ts'
import { count, duration } from './format.ts'
import { headOf, row, several, text, words, type Column } from './table.ts'

const FIRST = 3

interface Line extends RefusalShown {
  readonly age: number
}

const columns: readonly Column<Line>[] = [
  {
    label: 'Client',
    make: () =>
      several(
        words(({ peer }) => peer ?? 'unknown'),
        words(({ peer, source }) => (source === null || source === peer ? '' : `for ${source}`), {
          class: 'detail',
        }),
      ),
    kind: 'place',
  },
  text('Service', ({ service }) => service, { kind: 'place' }),
  text('When', ({ age }) => `${duration(age)} ago`, { kind: 'state' }),
  text('Reason', ({ reason }) => reason, { kind: 'state' }),
  {
    label: 'What to do',
    make: () =>
      several(
        words(({ advice }) => advice),
        words(({ message }) => message, { class: 'detail' }),
      ),
    kind: 'advice',
  },
]

export class RefusalsTable {
  readonly #section = byId('refusals-section', HTMLElement)
  readonly #more = byId('refusals-more', HTMLButtonElement)
  readonly #children: Children<Line>
  #lines: readonly Line[] = []
  #isWhole = false

  constructor() {
    const table = byId('refusals', HTMLTableElement)
    table.setAttribute('role', 'table')
    const body = table.createTBody()
    body.setAttribute('role', 'rowgroup')
    table.prepend(headOf(columns))
    this.#children = new Children(body, { keyOf: ({ id }) => id, make: () => row(columns, () => '') })
    this.#more.addEventListener('click', () => {
      this.#isWhole = !this.#isWhole
      this.#render()
    })
  }

  show({ time, refusals }: StatsDocument): void {
    const now = Date.parse(time)
    this.#lines = refusals.map(each => ({ ...each, age: now - Date.parse(each.time) }))
    this.#render()
  }

  #render(): void {
    this.#section.hidden = this.#lines.length === 0
    this.#children.show(this.#isWhole ? this.#lines : this.#lines.slice(0, FIRST))
    this.#more.hidden = this.#lines.length <= FIRST
    setText(this.#more, this.#isWhole ? `show ${count(FIRST)}` : `show all ${count(this.#lines.length)}`)
  }
}
