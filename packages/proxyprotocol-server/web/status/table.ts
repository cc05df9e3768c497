// Each part has an ARIA role, because browsers drop roles with the layout.

import { element } from '../element.ts'
import { setAttribute, setText, type View } from './view.ts'

export interface Column<Item> {
  readonly label: string
  readonly make: () => View<Item>
  readonly kind?: string
  readonly help?: string
}

export type ColumnOptions = Pick<Column<unknown>, 'kind' | 'help'>

export function text<Item>(
  label: string,
  textOf: (item: Item) => string,
  options: ColumnOptions = {},
): Column<Item> {
  return { label, make: () => words(textOf), ...options }
}

export function words<Item>(
  textOf: (item: Item) => string,
  attributes?: Readonly<Record<string, string>>,
): View<Item> {
  const made = element('span', attributes)
  return { element: made, update: item => setText(made, textOf(item)) }
}

export function several<Item>(...views: readonly View<Item>[]): View<Item> {
  const made = element('div', {}, ...views.map(view => view.element))
  return {
    element: made,
    update: item => {
      for (const view of views) view.update(item)
    },
  }
}

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
