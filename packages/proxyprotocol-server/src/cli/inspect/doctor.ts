// `proxyprotocol-inspect doctor`: finds out what a server accepts, one connection after the other.

import type { Command } from 'commander'
import { ConfigError, parseAddress } from '../../config/index.ts'
import { showEndpoint } from '../../log/index.ts'
import { createCommand, type ProgramIo } from '../program.ts'
import { FIRST_WORD, exchange, type Target } from './doctor-exchange.ts'
import { type Diagnosis, doctorJson, doctorText } from './doctor-report.ts'
import { type Attempt, attempts, judge } from './doctor-verdict.ts'

/** Longer than a server needs, and short enough for ten attempts. */
const DEFAULT_TIMEOUT = 2_000
/** With less, every server would seem silent. */
const MIN_TIMEOUT = FIRST_WORD + 1
const MAX_TIMEOUT = 60_000

export interface DoctorIo extends ProgramIo {
  readonly colours: boolean
}

interface Flags {
  readonly expect?: string
  readonly timeout: string
  readonly json?: true
}

export function doctorCommand(io: DoctorIo, onResult: (works: boolean) => void): Command {
  return createCommand('doctor', io)
    .description(
      'Tries what a far end accepts: no header, versions 1 and 2, LOCAL, with TLS behind it, before it, both.',
    )
    .argument('<HOST:PORT>', 'the far end; it is sent a GET behind each header')
    .option('--expect <NAME>', `what has to work for exit code 0, by default any header: ${names()}`)
    .option('--timeout <MILLISECONDS>', 'for each attempt', String(DEFAULT_TIMEOUT))
    .option('--json', 'one line of JSON')
    .action(async (at: string, flags: Flags) => {
      const expected = expectedOf(flags)
      const diagnosis = await diagnose(targetOf(at, flags), expected)
      io.out(flags.json ? doctorJson(diagnosis) : doctorText(diagnosis, io.colours))
      onResult(diagnosis.works)
    })
}

async function diagnose(target: Target, expected: Attempt | undefined): Promise<Diagnosis> {
  const seen = []
  for (const attempt of attempts) {
    const observation = await exchange(target, attempt.steps)
    if (attempt === attempts[0] && observation.outcome === 'unreachable') {
      throw Object.assign(new Error(observation.detail), { syscall: 'connect' })
    }
    seen.push({ ...attempt, ...observation })
  }
  const findings = judge(seen)
  const works = findings.some(
    ({ name, steps, verdict }) =>
      verdict === 'accepted' && (expected ? name === expected.name : steps.some(step => step !== 'tls')),
  )
  return { target: String(showEndpoint({ address: target.host, port: target.port })), findings, works }
}

function targetOf(at: string, { timeout }: Flags): Target {
  const address = parseAddress(at, { role: 'upstream' })
  if (address.transport !== 'tcp' || address.tls !== undefined || address.pp !== undefined) {
    throw new ConfigError(
      `${JSON.stringify(at)}: TLS and headers are what is tried; a right one is "127.0.0.1:8443"`,
    )
  }
  const milliseconds = Number(timeout)
  if (!/^\d+$/.test(timeout) || milliseconds < MIN_TIMEOUT || milliseconds > MAX_TIMEOUT) {
    throw new ConfigError(
      `--timeout must be an integer from ${MIN_TIMEOUT} to ${MAX_TIMEOUT} (milliseconds), got ${JSON.stringify(timeout)}${inSeconds(timeout)}`,
    )
  }
  const host = address.host as string // an upstream address names one host
  return { host, port: address.port, timeout: milliseconds }
}

function inSeconds(text: string): string {
  const [, seconds] = /^(\d{1,2})s?$/.exec(text) ?? []
  return Number(seconds) > 0 && Number(seconds) <= MAX_TIMEOUT / 1_000
    ? `; did you mean ${Number(seconds) * 1_000}?`
    : ''
}

function expectedOf({ expect }: Flags): Attempt | undefined {
  const found = attempts.find(({ name }) => name === expect)
  if (expect === undefined || found) return found
  throw new ConfigError(`--expect must be one of ${names()}, got ${JSON.stringify(expect)}`)
}

function names(): string {
  return attempts.map(({ name }) => name).join(', ')
}
