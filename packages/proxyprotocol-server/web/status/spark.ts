// Bars for sixty seconds, with errors in front in their own colour, and a text for screen readers.

import { setAttribute, type View } from './view.ts'

const [WIDTH, HEIGHT, STEP, BAR] = [120, 20, 2, 1.5]

export interface Series {
  readonly values: readonly number[]
  readonly errors?: readonly number[]
}

export function spark(what: string, format: (value: number) => string): View<Series> {
  const image = svg('svg', {
    preserveAspectRatio: 'none',
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: 'img',
    class: 'spark',
  })
  const title = svg('title', {})
  const [bars, errorBars] = [svg('path', { class: 'series' }), svg('path', { class: 'errors' })]
  image.append(title, bars, errorBars)
  const update = ({ values, errors = [] }: Series): void => {
    const told = values.length > 0 ? values : errors
    const most = Math.max(0, ...told)
    const text = `${what} in the last minute: ${format(told.at(-1) ?? 0)} now, at most ${format(most)}`
    if (title.textContent !== text) title.textContent = text
    const scale = Math.max(1, most, ...errors)
    setAttribute(bars, 'd', path(values, scale))
    setAttribute(errorBars, 'd', path(errors, scale))
  }
  return { element: image, update }
}

export function gauge(): View<number> {
  const image = svg('svg', {
    viewBox: '0 0 100 4',
    preserveAspectRatio: 'none',
    class: 'gauge',
    'aria-hidden': 'true',
  })
  const bar = svg('rect', { height: '4' })
  image.append(svg('rect', { class: 'ground', width: '100', height: '4' }), bar)
  const update = (part: number): void => {
    const percent = Math.min(100, Math.round(part * 100))
    setAttribute(bar, 'width', String(percent))
    setAttribute(bar, 'class', percent >= 90 ? 'full' : 'part')
  }
  return { element: image, update }
}

function path(values: readonly number[], scale: number): string {
  return values
    .map((value, second) => {
      if (value === 0) return ''
      const height = Math.max(1, (value / scale) * HEIGHT).toFixed(1)
      return `M${second * STEP} ${HEIGHT}v-${height}h${BAR}v${height}z`
    })
    .join('')
}

function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>>,
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  return made
}
