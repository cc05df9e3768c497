// The doctor's findings as a table, as lines of configuration, and as data.

import { type ConfigurationLine, plainHex, senders, type Sent } from '../../explain/index.ts'
import { asciiOnly } from '../../log/index.ts'
import type { Finding, Verdict } from './doctor-verdict.ts'

const HEADINGS = ['sent', 'seen', 'so'] as const
const COLOURS: Readonly<Record<Verdict, number>> = { accepted: 32, refused: 31, unclear: 33 }
const CHOICES: readonly (readonly [name: string, sent: Sent])[] = [
  ['v2+tls', { version: 2, tls: true }],
  ['v2', { version: 2 }],
  ['v1+tls', { version: 1, tls: true }],
  ['v1', { version: 1 }],
  ['tls', { version: undefined, tls: true }],
  ['none', { version: undefined }],
]

export interface Diagnosis {
  readonly target: string
  readonly findings: readonly Finding[]
  readonly works: boolean
}

export function doctorText({ target, findings }: Diagnosis, colours: boolean): string {
  const paint = (verdict: Verdict): string =>
    colours ? `\u001b[${COLOURS[verdict]}m${verdict}\u001b[0m` : verdict
  const rows = findings.map(({ title, seen, verdict, because }) => {
    const so = because === undefined ? paint(verdict) : `${paint(verdict)}: ${because}`
    return [title, seen, so] as const
  })
  const width = (column: 0 | 1): number => Math.max(...rows.map(row => row[column].length))
  const [first, second] = [width(0), width(1)]
  const table = [HEADINGS, ...rows].map(
    ([sent, seen, so]) => `${sent.padEnd(first)}  ${seen.padEnd(second)}  ${so}`,
  )
  return [...table, '', ...advice(target, findings)].map(line => `${line.trimEnd()}\n`).join('')
}

export function doctorJson({ target, findings, works }: Diagnosis): string {
  const attempts = findings.map(
    ({ name, verdict, because, seen, outcome, tls, asked, answer, milliseconds }) => ({
      name,
      verdict,
      because,
      seen,
      outcome,
      tls,
      asked,
      answer: plainHex(answer),
      milliseconds,
    }),
  )
  const accepted = findings.filter(({ verdict }) => verdict === 'accepted').map(({ name }) => name)
  return `${asciiOnly(JSON.stringify({ target, works, accepted, configuration: lines(target, findings), attempts }))}\n`
}

interface AdvisedLine extends ConfigurationLine {
  readonly sends: string
}

function lines(target: string, findings: readonly Finding[]): readonly AdvisedLine[] {
  const byProgram = new Map<string, AdvisedLine>()
  for (const [name, sent] of CHOICES) {
    const finding = findings.find(each => each.name === name && each.verdict === 'accepted')
    if (!finding) continue
    for (const line of senders(sent, target)) {
      if (!byProgram.get(line.program)?.text) byProgram.set(line.program, { ...line, sends: finding.title })
    }
  }
  return [...byProgram.values()]
}

function advice(target: string, findings: readonly Finding[]): readonly string[] {
  const accepted = findings.filter(({ verdict }) => verdict === 'accepted')
  const isInside = accepted.some(({ name }) => name === 'tls+v1' || name === 'tls+v2')
  const isHeader = accepted.some(({ steps }) => steps.some(step => step !== 'tls'))
  const configured = lines(target, findings)
  return [
    configured.length > 0
      ? 'What to set the sender to:'
      : 'Nothing that a sender could be set to is clearly accepted.',
    ...configured.flatMap(({ program, text, note, sends }) => [
      '',
      `${program}: ${text === '' ? '' : sends}${text === '' || note === undefined ? '' : '; '}${note ?? ''}`,
      ...text.split('\n').flatMap(line => (line === '' ? [] : `    ${line}`)),
    ]),
    ...(isInside
      ? ['', 'It takes a header inside TLS; HAProxy and nginx send theirs in clear, before the handshake.']
      : []),
    ...(isHeader
      ? []
      : [
          '',
          'A receiver refuses the headers of those that it does not trust: run this where they are sent from.',
        ]),
  ]
}
