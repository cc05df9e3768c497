// The form is built from each draft and read as a whole with each input, so it has no state.

import { bytesOf, firstDraft, firstEnds, type Draft } from './draft.ts'
import { byId, element } from '../element.ts'
import { choice, entry } from './form-input.ts'
import { tlvRows } from './form-tlvs.ts'

export class HeaderForm {
  readonly #form: HTMLFormElement
  readonly #onBytes: (bytes: Uint8Array) => void
  #draft: Draft = firstDraft

  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.#form = byId('form', HTMLFormElement)
    this.#onBytes = onBytes
    this.#form.addEventListener('submit', event => event.preventDefault())
  }

  get draft(): Draft {
    return this.#draft
  }

  show(draft: Draft): void {
    this.#draft = draft
    this.#render()
  }

  #change(draft: Draft, again: boolean): void {
    this.#draft = draft
    if (again) this.#render()
    const problem = this.#form.querySelector('.problem')
    try {
      this.#onBytes(bytesOf(draft))
      if (problem) problem.textContent = ''
    } catch (error) {
      if (problem) problem.textContent = (error as Error).message // encoding throws Error objects only
    }
  }

  #render(): void {
    const draft = this.#draft
    const { activeElement } = document
    const focused = this.#form.contains(activeElement) ? activeElement?.id : undefined
    const set = (part: Partial<Draft>, again = false): void =>
      this.#change({ ...this.#draft, ...part }, again)
    const tlvs = tlvRows(draft.tlvs, {
      id: 'tlv',
      isInSsl: false,
      set: (changed, again) => set({ tlvs: changed }, again),
    })
    this.#form.replaceChildren(
      element('p', { class: 'problem', role: 'alert' }),
      element('div', { class: 'row' }, ...kindInputs(draft, set)),
      ...endInputs(draft, set),
      ...(draft.version === 2 ? [tlvs] : []),
    )
    if (focused) document.getElementById(focused)?.focus()
  }
}

type Set = (part: Partial<Draft>, again?: boolean) => void

function kindInputs(draft: Draft, set: Set): readonly HTMLElement[] {
  const { version, command, family, transport } = draft
  const [isV2, isLocal] = [version === 2, command === 'LOCAL']
  const families: readonly Draft['family'][] = isV2
    ? ['INET', 'INET6', 'UNIX', 'UNSPEC']
    : ['INET', 'INET6', 'UNSPEC']
  const setFamily = (to: string): void => {
    const chosen = families.find(each => each === to) ?? 'UNSPEC'
    set({ family: chosen, ...firstEnds[chosen] }, true)
  }
  const setVersion = (to: string): void => {
    if (to === '2') set({ version: 2 }, true)
    else if (family === 'UNIX')
      set({ version: 1, command: 'PROXY', family: 'UNSPEC', ...firstEnds.UNSPEC }, true)
    else set({ version: 1, command: 'PROXY', transport: 'STREAM' }, true)
  }
  const setCommand = (to: string): void => {
    if (to === 'LOCAL') set({ command: 'LOCAL', family: 'UNSPEC', ...firstEnds.UNSPEC }, true)
    else set({ command: 'PROXY', family: 'INET', ...firstEnds.INET }, true)
  }
  return [
    choice('version', 'version', { value: String(version), choices: ['1', '2'], set: setVersion }),
    ...(isV2
      ? [choice('command', 'command', { value: command, choices: ['PROXY', 'LOCAL'], set: setCommand })]
      : []),
    ...(isLocal ? [] : [choice('family', 'family', { value: family, choices: families, set: setFamily })]),
    ...(isLocal || family === 'UNSPEC' || !isV2
      ? []
      : [
          choice('transport', 'transport', {
            value: transport,
            choices: ['STREAM', 'DGRAM'],
            set: to => set({ transport: to === 'DGRAM' ? 'DGRAM' : 'STREAM' }),
          }),
        ]),
  ]
}

function endInputs(draft: Draft, set: Set): readonly HTMLElement[] {
  const { family, command } = draft
  if (family === 'UNSPEC' || command === 'LOCAL') return []
  const [what, hasPort] = family === 'UNIX' ? ['path', false] : ['address', true]
  const text = (name: keyof typeof firstEnds.INET, label: string, narrow: boolean): HTMLElement =>
    entry(name, label, { value: draft[name], narrow, set: value => set({ [name]: value }) })
  return (['source', 'destination'] as const).map(end =>
    element(
      'div',
      { class: 'row' },
      text(end, `${end} ${what}`, false),
      hasPort && text(`${end}Port`, 'port', true),
    ),
  )
}
