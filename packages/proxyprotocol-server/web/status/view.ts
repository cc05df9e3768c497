// Text is set only if it has changed, so that a selection stays.

export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

export function setAttribute(node: Element, name: string, value: string): void {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value)
}

export interface View<Item> {
  readonly element: Element
  readonly update: (item: Item) => void
}

export interface ChildrenOptions<Item> {
  readonly keyOf: (item: Item) => string
  readonly make: () => View<Item>
  readonly after?: Element
}

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
