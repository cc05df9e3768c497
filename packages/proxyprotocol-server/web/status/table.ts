// Tables whose rows stay while their numbers change. On a narrow screen a row becomes a card, so each cell knows its head,
// and each part says its role: a browser forgets them with the layout.

import { element } from '../element.ts'
import { setAttribute, setText, type View } from './view.ts'

/** A column: its head, and what its cells hold. */
export interface Column<Item> {
  readonly label: string
  readonly make: () => View<Item>
  /** For the style sheet. */
  readonly kind?: string
  /** What the head means, where that is not plain. */
  readonly help?: string
}

/** A column's settings besides its cells. */
export type ColumnOptions = Pick<Column<unknown>, 'kind' | 'help'>

/** A column of plain text. */
export function text<Item>(
  label: string,
  textOf: (item: Item) => string,
  options: ColumnOptions = {},
): Column<Item> {
  return { label, make: () => words(textOf), ...options }
}

/** What is only text. */
export function words<Item>(
  textOf: (item: Item) => string,
  attributes?: Readonly<Record<string, string>>,
): View<Item> {
  const made = element('span', attributes)
  return { element: made, update: item => setText(made, textOf(item)) }
}

/** Several views of the same, one after the other. */
export function several<Item>(...views: readonly View<Item>[]): View<Item> {
  const made = element('div', {}, ...views.map(view => view.element))
  return {
    element: made,
    update: item => {
      for (const view of views) view.update(item)
    },
  }
}

/** The heads of columns; `content` is what stands in one, where that is more than its label. */
export function headOf<Item>(
  columns: readonly Column<Item>[],
  content: (column: Column<Item>) => Node | string = ({ label }) => label,
): HTMLTableSectionElement {
  const cells = columns.map(column => {
    const { kind = '', help } = column
    const cell = element('th', { role: 'columnheader', scope: 'col', class: kind }, content(column))
    if (help !== undefined) cell.title = help
    return cell
  })
  return element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...cells))
}

/** A row; its first cell is its head. */
export function row<Item>(columns: readonly Column<Item>[], classOf: (item: Item) => string): View<Item> {
  const cells = columns.map(({ label, kind = '', make }, index) => {
    const view = make()
    const attributes = { class: kind, 'data-label': label }
    const cell =
      index === 0
        ? element('th', { ...attributes, scope: 'row', role: 'rowheader' }, view.element)
        : element('td', { ...attributes, role: 'cell' }, view.element)
    return { element: cell, update: view.update }
  })
  const line = element('tr', { role: 'row' }, ...cells.map(cell => cell.element))
  return {
    element: line,
    update: item => {
      setAttribute(line, 'class', classOf(item))
      for (const cell of cells) cell.update(item)
    },
  }
}
