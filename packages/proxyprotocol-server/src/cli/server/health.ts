// The command `health`: asks the admin listener, for containers that have no other HTTP client.

import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { ConfigError, formatHostPort, parseAdmin, VARIABLE_PREFIX } from '../../config/index.ts'
import { refuseExcess } from '../argument-hints.ts'
import { createCommand, PlainError, type ProgramIo } from '../program.ts'

const VARIABLE = `${VARIABLE_PREFIX}ADMIN`

/** Milliseconds; a listener on this machine answers within a few. */
const DEADLINE = 2_000

interface Question {
  readonly host: string
  readonly port: number
  readonly path: '/readyz' | '/livez'
}

interface Answer {
  readonly isGood: boolean
  readonly word: string
}

export async function health(args: readonly string[], io: ProgramIo): Promise<void> {
  const question = parse(args, io)
  const at = formatHostPort(question.host, question.port)
  const { isGood, word } = await ask(question).catch((error: unknown) => {
    const { message } = error as Error // of Node
    throw new PlainError(`${at} does not answer: ${message}`, { cause: error })
  })
  if (!isGood) throw new PlainError(`${at} answers: ${word}`)
  io.out(`${word}\n`)
}

function parse(args: readonly string[], io: ProgramIo): Question {
  const command = createCommand('proxyprotocol-server health', io)
    .description('Asks a running program whether it is ready, and ends with 0, or with 1 if it is not.')
    .argument('[HOST:PORT]', `its admin listener (default: ${VARIABLE}, or 127.0.0.1:10009)`)
    .option('--admin <HOST:PORT>', 'the same')
    .option('--live', 'ask only whether the process responds')
    .allowExcessArguments() // refused below, with a hint
    .parse(args, { from: 'user' })
  refuseExcess(command, 'one HOST:PORT')
  const { admin, live } = command.opts<{ admin?: string; live?: true }>()
  const [operand = admin ?? io.env[VARIABLE] ?? '127.0.0.1'] = command.args
  if (admin !== undefined && operand !== admin)
    throw new ConfigError('health takes HOST:PORT or --admin, not both')
  try {
    return { ...parseAdmin(operand), path: live ? '/livez' : '/readyz' }
  } catch (error) {
    throw new ConfigError(`HOST:PORT ${(error as ConfigError).message}`) // it throws nothing else
  }
}

async function ask({ host, port, path }: Question): Promise<Answer> {
  const deadline = new AbortController()
  const timer = setTimeout(() => {
    deadline.abort(new Error(`${String(DEADLINE)} ms have passed`))
  }, DEADLINE)
  const { signal } = deadline
  try {
    // Other names than localhost would need --admin-hosts.
    const request = get({ host, port, path, headers: { host: 'localhost' }, agent: false, signal })
    request.on('error', () => undefined) // an abort after the response
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const word = /"status":"(\w+)"/.exec(await text(response))?.[1]
    const { statusCode } = response
    return { isGood: statusCode === 200, word: word ?? `HTTP status ${String(statusCode)}` }
  } catch (error) {
    throw signal.reason ?? error
  } finally {
    clearTimeout(timer)
  }
}
