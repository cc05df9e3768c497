// What the page changes in the DOM. Text is only set where it has changed, so that a reader's selection stays.

export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

export function setAttribute(node: Element, name: string, value: string): void {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value)
}

/** What shows an item, and goes on to show what becomes of it. */
export interface View<Item> {
  readonly element: Element
  readonly update: (item: Item) => void
}

/** How children are made. */
export interface ChildrenOptions<Item> {
  /** What tells an item from the others, and stays. */
  readonly keyOf: (item: Item) => string
  readonly make: () => View<Item>
  /** A child that is none of them, and stays in front. */
  readonly after?: Element
}

/** Children of an element, one for each item, by its key. */
export class Children<Item> {
  readonly #parent: Element
  readonly #make: () => View<Item>
  readonly #keyOf: (item: Item) => string
  readonly #after: Element | undefined
  #views: ReadonlyMap<string, View<Item>> = new Map()

  constructor(parent: Element, { keyOf, make, after }: ChildrenOptions<Item>) {
    this.#parent = parent
    this.#keyOf = keyOf
    this.#make = make
    this.#after = after
  }

  /** Those that stay where they are are not moved. */
  show(items: readonly Item[]): void {
    const views = new Map(
      items.map(item => {
        const key = this.#keyOf(item)
        return [key, this.#views.get(key) ?? this.#make()]
      }),
    )
    for (const [key, view] of this.#views) if (!views.has(key)) view.element.remove()
    let next = this.#after ? this.#after.nextElementSibling : this.#parent.firstElementChild
    for (const item of items) {
      const view = views.get(this.#keyOf(item))
      view?.update(item)
      if (view && view.element !== next) this.#parent.insertBefore(view.element, next)
      else next = next?.nextElementSibling ?? null
    }
    this.#views = views
  }
}
