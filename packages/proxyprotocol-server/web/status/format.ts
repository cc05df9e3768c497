const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

export function count(value: number): string {
  return value.toLocaleString('en')
}

export function countOr(value: number | null | undefined, otherwise: string): string {
  return value === null || value === undefined ? otherwise : count(value)
}

/** Such as `1.23 MB`. */
export function bytes(value: number): string {
  let [scaled, unit] = [value, 0]
  while (scaled >= 999.5 && unit < UNITS.length - 1) [scaled, unit] = [scaled / 1000, unit + 1]
  return `${unit === 0 ? String(scaled) : threeDigits(scaled)} ${UNITS[unit] ?? ''}`
}

/** Such as `3 d 4 h`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([value]) => value > 0)
  if (first < 0) return '0 s'
  const shown = parts.slice(first, first + 2).filter(([value]) => value > 0)
  return shown.map(([value, unit]) => `${value} ${unit}`).join(' ')
}

export function milliseconds(value: number): string {
  return `${threeDigits(value)} ms`
}

export function clock(time: Date): string {
  return time.toTimeString().slice(0, 8)
}

export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`
}

function threeDigits(value: number): string {
  if (value >= 99.95) return count(Math.round(value))
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}
