// A state as a word, coloured by severity.

import { element } from '../element.ts'
import { setAttribute, setText, type View } from './view.ts'
import type { Level } from './trouble.ts'

export function badge<Item>(levelOf: (item: Item) => Level, textOf: (item: Item) => string): View<Item> {
  const made = element('span')
  return {
    element: made,
    update: item => {
      setAttribute(made, 'class', `badge ${levelOf(item)}`)
      setText(made, textOf(item))
    },
  }
}
