// Text stays text, so bytes from the network never become markup.

type Child = Node | string | false | undefined

interface Attributes {
  readonly class?: string | undefined
  readonly [attribute: string]: string | number | boolean | undefined
}

/** `false` and `undefined` leave an attribute or a child out. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    made.setAttribute(attribute, value === true ? '' : String(value))
  }
  made.append(...children.filter(child => child !== false && child !== undefined))
  return made
}

export function byId<Wanted extends HTMLElement>(id: string, kind: new () => Wanted): Wanted {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`)
  return found
}
