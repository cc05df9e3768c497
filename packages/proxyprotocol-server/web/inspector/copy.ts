import { element } from '../element.ts'

export function copyButton(label: string, text: () => string): HTMLButtonElement {
  const button = element('button', { type: 'button' }, label)
  button.addEventListener('click', () => void copyFrom(button, text()))
  return button
}

export async function copyFrom(button: HTMLButtonElement, text: string): Promise<void> {
  const label = (button.dataset['label'] ??= button.textContent)
  await copy(text)
  button.textContent = 'Copied'
  button.addEventListener('blur', () => (button.textContent = label), { once: true })
  setTimeout(() => (button.textContent = label), 1_500)
}

/** Pages over plain http from another machine have no clipboard. */
async function copy(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text)
  const area = element('textarea', { class: 'offstage' })
  area.value = text
  document.body.append(area)
  area.select()
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without a secure context
  document.execCommand('copy')
  area.remove()
}
