// Elements from data. Text goes in as text, so that nothing from the network is ever markup.

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

/** An element of the page itself. */
export function byId<Wanted extends HTMLElement>(id: string, kind: new () => Wanted): Wanted {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`)
  return found
}

/** A button that copies, and says so for a moment. */
export function copyButton(label: string, text: () => string): HTMLButtonElement {
  const button = element('button', { type: 'button' }, label)
  button.addEventListener('click', () => void copyFrom(button, text()))
  return button
}

/** Copies, and lets the button say so; pressed again, it says so already. */
export async function copyFrom(button: HTMLButtonElement, text: string): Promise<void> {
  const label = (button.dataset['label'] ??= button.textContent)
  await copy(text)
  button.textContent = 'Copied'
  button.addEventListener('blur', () => (button.textContent = label), { once: true })
  setTimeout(() => (button.textContent = label), 1_500)
}

/** A page that came by http from another machine may not use the clipboard: there the selection is copied. */
async function copy(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text)
  const area = element('textarea', { class: 'offstage' })
  area.value = text
  document.body.append(area)
  area.select()
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other way without a secure context
  document.execCommand('copy')
  area.remove()
}
