// The inputs of the form, which report each change.

import { element } from '../element.ts'

export interface InputOptions {
  readonly value: string
  readonly set: (value: string) => void
}

export function choice(
  id: string,
  label: string,
  options: InputOptions & { readonly choices: readonly string[] },
): HTMLElement {
  const select = element('select', { id })
  for (const each of options.choices) select.append(new Option(each, each, false, each === options.value))
  select.addEventListener('change', () => options.set(select.value))
  return element('label', {}, element('span', {}, label), select)
}

export function entry(
  id: string,
  label: string,
  options: InputOptions & { readonly narrow?: boolean; readonly hidden?: boolean },
): HTMLElement {
  const input = element('input', {
    id,
    type: 'text',
    spellcheck: 'false',
    'aria-label': options.hidden && label,
  })
  input.value = options.value
  input.addEventListener('input', () => options.set(input.value))
  return element(
    'label',
    { class: options.narrow ? 'narrow' : 'wide' },
    !options.hidden && element('span', {}, label),
    input,
  )
}
