// The list of fields, and an explanation of the one pointed at.

import { hexOf, hexOffset } from '../../src/explain/index.ts'
import { element } from '../element.ts'
import type { Entry, Inspection } from './inspection.ts'
import { meaningOf, SPECIFICATION } from './meanings.ts'

const SHOWN_TEXT = 400
const SHOWN_BYTES = 24

export interface FieldEvents {
  onPoint(index: number | undefined): void
  onFocus(index: number): void
}

export class FieldsView {
  readonly #list: HTMLElement
  /** Separators of version 1 and parts of TLVs have no row. */
  #rows: ReadonlyMap<number, HTMLElement> = new Map()

  constructor(list: HTMLElement, events: FieldEvents) {
    this.#list = list
    list.addEventListener('pointerover', event => events.onPoint(indexOf(event.target)))
    list.addEventListener('pointerleave', () => events.onPoint(undefined))
    list.addEventListener('focusin', event => {
      const index = indexOf(event.target)
      if (index !== undefined) events.onFocus(index)
    })
    list.addEventListener('keydown', event => {
      if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
      const rows = [...this.#rows.values()]
      const at = rows.findIndex(row => row === event.target)
      event.preventDefault()
      rows[event.key === 'ArrowDown' ? at + 1 : at - 1]?.focus()
    })
  }

  render({ entries }: Inspection): void {
    const rows = new Map<number, HTMLElement>()
    for (const [index, entry] of entries.entries()) {
      if (entry.row === index && entry.field.name !== 'separator') rows.set(index, rowOf(entry, index))
    }
    this.#rows = rows
    this.#list.replaceChildren(...rows.values())
  }

  mark(index: number | undefined): void {
    for (const [at, row] of this.#rows) row.classList.toggle('marked', at === index)
  }
}

function rowOf({ field, depth, colour }: Entry, index: number): HTMLElement {
  const { name, value, section } = field
  return element(
    'li',
    { class: `d${depth} ${colour === undefined ? 'plain' : `c${colour}`}`, 'data-index': index, tabindex: 0 },
    element('span', { class: 'name' }, name),
    element('span', { class: 'value' }, shown(value)),
    element('span', { class: 'section' }, section && `§ ${section}`),
  )
}

export function detailOf({ field, path, colour }: Entry, bytes: Uint8Array): readonly Node[] {
  const { offset, byteLength, value, section } = field
  const [from, to] = [hexOffset(offset), hexOffset(offset + Math.max(0, byteLength - 1))]
  const own = bytes.subarray(offset, offset + byteLength)
  const more = own.length > SHOWN_BYTES ? ' …' : ''
  const meaning =
    path
      .slice()
      .reverse()
      .map(meaningOf)
      .find(text => text !== '') ?? ''
  return [
    element(
      'h2',
      { class: colour === undefined ? 'plain' : `c${colour}` },
      element('span', { class: 'swatch' }),
      path.join(' › '),
    ),
    element(
      'p',
      { class: 'place' },
      `bytes ${offset} to ${offset + byteLength - 1} (${from} to ${to}), ${byteLength} in all`,
      element('code', {}, hexOf(own.subarray(0, SHOWN_BYTES)) + more),
    ),
    element('p', { class: 'says' }, shown(value)),
    element('p', {}, meaning),
    element(
      'p',
      { class: 'reference' },
      section &&
        element('a', { href: SPECIFICATION, rel: 'noreferrer' }, `Specification, section ${section}`),
    ),
  ]
}

/** Letters that reorder or hide others would mislead. */
export function shown(text: string): string {
  const cut = text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)} …` : text
  return cut.replace(/[\p{C}\u2028\u2029]/gu, letter => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`)
}

function indexOf(target: EventTarget | null): number | undefined {
  const row = target instanceof HTMLElement ? target.closest<HTMLElement>('[data-index]') : null
  return row ? Number(row.dataset['index']) : undefined
}
