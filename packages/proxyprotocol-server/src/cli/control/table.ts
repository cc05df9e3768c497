import { asciiOnly } from '../../log/index.ts'

export type Row = Readonly<Record<string, string | number | undefined>>

/** Aligned columns below their keys. */
export function showTable(rows: readonly Row[]): string {
  if (rows.length === 0) return 'none\n'
  const keys = [...new Set(rows.flatMap(row => Object.keys(row)))]
  const columns = keys.map(key => padded([key.toUpperCase(), ...rows.map(row => show(row[key]))]))
  return [{}, ...rows]
    .map(
      (_, at) =>
        `${columns
          .map(column => column[at])
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

export function showWords(result: Row): string {
  const words = Object.entries(result).map(([key, value]) => `${key}=${show(value)}`)
  return `${words.join(' ')}\n`
}

function padded(cells: readonly string[]): readonly string[] {
  const width = Math.max(...cells.map(({ length }) => length))
  return cells.map(cell => cell.padEnd(width))
}

function show(value: Row[string]): string {
  return value === undefined ? '-' : asciiOnly(String(value)) // a path of a header could move the cursor
}
