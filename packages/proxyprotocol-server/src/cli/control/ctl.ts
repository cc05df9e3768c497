import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { ConfigError, MAX_WEIGHT, VARIABLE_PREFIX } from '../../config/index.ts'
import { createCommand, PlainError, type ProgramIo } from '../program.ts'
import type { ControlAnswer, ControlRequest } from './request.ts'
import { type Row, showTable, showWords } from './table.ts'

const VARIABLE = `${VARIABLE_PREFIX}CONTROL`

interface CtlFlags {
  readonly socket?: string
  readonly json?: boolean
}

/** Asks a running program, and shows its answer. */
export async function ctl(args: readonly string[], io: ProgramIo): Promise<void> {
  const { request, socket, json } = parse(args, io)
  const answer = await ask(socket, request)
  if (answer.status === 'refused') throw new PlainError(answer.error)
  io.out(json ? `${JSON.stringify(answer.result, undefined, 2)}\n` : show(answer.result))
}

function parse(args: readonly string[], io: ProgramIo) {
  let request: ControlRequest | undefined
  const command = ctlCommand(io, given => {
    request = given
  })
  command.parse(args, { from: 'user' })
  const { socket = io.env[VARIABLE], json = false } = command.opts<CtlFlags>()
  if (request === undefined || socket === undefined)
    throw new ConfigError(`nothing to ask: give --socket PATH, or set ${VARIABLE}`)
  return { request, socket, json }
}

function ctlCommand(io: ProgramIo, take: (request: ControlRequest) => void): Command {
  const command = createCommand('proxyprotocol-server ctl', io)
    .description('Asks a running program through its control socket, and changes it.')
    .helpCommand(false)
    .option('--socket <PATH>', `the control socket of the program (${VARIABLE})`)
    .option('--json', 'print JSON')
  for (const [name, what] of [
    ['services', 'list services'],
    ['upstreams', 'list upstreams; a weight that differs from the file is shown beside it'],
    ['connections', 'list open connections'],
    ['refusals', 'list the clients that were turned away last'],
  ] as const) {
    const listing = command.command(name).description(what)
    if (name !== 'services') listing.argument('[SERVICE]', 'only those of this service')
    listing.action((service?: unknown) => {
      take({ command: name, ...(typeof service === 'string' && { service }) })
    })
  }
  for (const [name, what] of [
    ['drain', 'give an upstream no new connections'],
    ['undrain', 'give an upstream its weight in the file again'],
  ] as const) {
    targeted(command, name, what).action((service: string, upstream: string) => {
      take({ command: name, service, upstream })
    })
  }
  targeted(command, 'weight', 'set the weight of an upstream until the program ends')
    .argument('<WEIGHT>', `an integer from 0 to ${String(MAX_WEIGHT)}`, weightOf)
    .action((service: string, upstream: string, weight: number) => {
      take({ command: 'weight', service, upstream, weight })
    })
  closing(command, take)
  command
    .command('reload')
    .description('read the configuration again, as SIGHUP does')
    .action(() => {
      take({ command: 'reload' })
    })
  return command
}

function targeted(command: Command, name: string, description: string): Command {
  return command
    .command(name)
    .description(description)
    .argument('<SERVICE>', 'the name of its service')
    .argument('<UPSTREAM>', 'the name of the upstream, by default its address')
}

function closing(command: Command, take: (request: ControlRequest) => void): void {
  command
    .command('close')
    .description('reset open connections that have all that is given')
    .option('--id <ID>', 'the id of a connection')
    .option('--source <CIDR>', 'the address of the client, or a network')
    .option('--upstream <ADDRESS>', 'the address of the upstream, as "connections" shows it')
    .action((filter: { id?: string; source?: string; upstream?: string }) => {
      if (Object.keys(filter).length === 0)
        throw new ConfigError('close needs at least one of --id, --source and --upstream')
      take({ command: 'close', ...filter })
    })
}

function weightOf(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= MAX_WEIGHT) return Number(text)
  throw new InvalidArgumentError(`It must be an integer from 0 to ${String(MAX_WEIGHT)}.`)
}

async function ask(path: string, request: ControlRequest): Promise<ControlAnswer> {
  const socket = connect({ path, allowHalfOpen: true })
  try {
    await once(socket, 'connect')
    socket.end(`${JSON.stringify(request)}\n`)
    const reply = await text(socket)
    if (reply === '') throw new Error('it closed the connection')
    return JSON.parse(reply) as ControlAnswer // of the program
  } catch (cause) {
    const { message } = cause as Error // of Node and of JSON.parse()
    throw new PlainError(`the control socket ${path} does not answer: ${message}`, { cause })
  } finally {
    socket.destroy()
  }
}

function show(result: unknown): string {
  return Array.isArray(result) ? showTable(result as Row[]) : showWords(result as Row) // the program's own
}
