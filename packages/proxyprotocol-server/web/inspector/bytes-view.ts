import { asciiOf, hexOffset } from '../../src/explain/index.ts'
import { element } from '../element.ts'
import type { Inspection } from './inspection.ts'

/** The rest is cut, but never before a fault. */
const SHOWN_BYTES = 2_048
const BESIDE_FAULT = 32
const DIGIT = /^[0-9a-f]$/i

export interface ByteEvents {
  onPoint(at: number | undefined): void
  onFocus(at: number): void
  onChange(at: number, value: number): void
}

export class BytesView {
  readonly #grid: HTMLElement
  readonly #events: ByteEvents
  #cells: readonly HTMLElement[] = []
  #texts: readonly HTMLElement[] = []
  #bytes: Uint8Array = new Uint8Array()
  #rowBytes = 16
  #half: { readonly at: number; readonly digit: number } | undefined

  constructor(grid: HTMLElement, events: ByteEvents) {
    this.#grid = grid
    this.#events = events
    grid.addEventListener('pointerover', event => events.onPoint(byteAt(event.target)))
    grid.addEventListener('pointerleave', () => events.onPoint(undefined))
    grid.addEventListener('focusin', event => {
      const at = byteAt(event.target)
      if (at === undefined) return
      this.#setTabStop(at)
      events.onFocus(at)
    })
    grid.addEventListener('click', event => {
      const at = byteAt(event.target)
      if (at !== undefined) this.focus(at)
    })
    grid.addEventListener('keydown', event => this.#onKey(event))
  }

  render({ bytes, fault, entries, entryAt }: Inspection, rowBytes: number): void {
    const end = Math.min(bytes.length, Math.max(SHOWN_BYTES, (fault?.offset ?? 0) + BESIDE_FAULT))
    this.#bytes = bytes
    this.#rowBytes = rowBytes
    this.#half = undefined
    const made = Array.from(bytes.subarray(0, end), (byte, at) => {
      const entry = entries[entryAt[at] ?? -1]
      const outer = entry?.path[0]
      const kind =
        entry?.colour !== undefined ? `c${entry.colour}` : outer === 'payload' ? 'payload' : 'plain'
      const classes = `${kind}${fault?.offset === at ? ' fault' : ''}`
      const hex = byte.toString(16).padStart(2, '0')
      const label = `byte ${at}, ${hex}${entry ? `, ${entry.path.join(' ')}` : ''}${fault?.offset === at ? ', at fault' : ''}`
      const [tabindex, role] = [-1, 'gridcell']
      const cell = element(
        'span',
        { class: classes, role, tabindex, 'data-at': at, 'aria-label': label },
        hex,
      )
      const text = element('span', { class: classes, 'data-at': at }, asciiOf(Uint8Array.of(byte)))
      return { cell, text }
    })
    this.#cells = made.map(({ cell }) => cell)
    this.#texts = made.map(({ text }) => text)
    const rows = Array.from({ length: Math.ceil(end / rowBytes) }, (_, row) => this.#row(row * rowBytes))
    const more = end < bytes.length && element('p', { class: 'help' }, `and ${bytes.length - end} bytes more`)
    this.#grid.replaceChildren(...rows, ...(more ? [more] : []))
    this.#setTabStop(0)
  }

  mark(offset: number, byteLength: number): void {
    for (const parts of [this.#cells, this.#texts]) {
      for (const [at, part] of parts.entries()) {
        part.classList.toggle('marked', at >= offset && at < offset + byteLength)
      }
    }
  }

  focus(at: number): void {
    this.#cells[at]?.focus()
  }

  #row(from: number): HTMLElement {
    const to = from + this.#rowBytes
    return element(
      'div',
      { class: 'row', role: 'row' },
      element('span', { class: 'offset', role: 'rowheader' }, hexOffset(from)),
      element('span', { class: 'hex', role: 'presentation' }, ...this.#cells.slice(from, to)),
      element('span', { class: 'ascii', 'aria-hidden': 'true' }, ...this.#texts.slice(from, to)),
    )
  }

  /** One byte is in the tab order: the last one that had the focus. */
  #setTabStop(at: number): void {
    for (const [index, cell] of this.#cells.entries()) {
      const wanted = index === at ? 0 : -1
      if (cell.tabIndex !== wanted) cell.tabIndex = wanted
    }
  }

  #onKey(event: KeyboardEvent): void {
    const at = byteAt(event.target)
    if (at === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -this.#rowBytes,
      ArrowDown: this.#rowBytes,
      Home: -at,
      End: this.#cells.length - 1 - at,
    }
    const step = steps[event.key]
    if (step !== undefined) this.focus(at + step)
    else if (DIGIT.test(event.key)) this.#type(at, Number.parseInt(event.key, 16))
    else return
    event.preventDefault()
  }

  #type(at: number, digit: number): void {
    const before = this.#half?.at === at ? this.#half.digit : undefined
    if (before === undefined) {
      this.#half = { at, digit }
      const cell = this.#cells[at]
      if (cell) cell.textContent = `${digit.toString(16)}_`
      return
    }
    this.#events.onChange(at, before * 16 + digit)
    this.focus(Math.min(at + 1, this.#bytes.length - 1))
  }
}

function byteAt(target: EventTarget | null): number | undefined {
  const at = target instanceof HTMLElement ? target.dataset['at'] : undefined
  return at === undefined ? undefined : Number(at)
}
