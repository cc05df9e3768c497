// Reads arguments and environment of proxyprotocol-server into one configuration.

import { InvalidArgumentError, Option, type Command } from 'commander'
import {
  acceptsHeaders,
  type Additions,
  checkNetworkFiles,
  combineConfig,
  ConfigError,
  nearest,
  type Override,
  parseTrust,
  type ServiceInit,
  type Setting,
  settings,
  type Source,
  VARIABLE_PREFIX,
} from '../../config/index.ts'
import type { Reading } from '../control/index.ts'
import { createCommand, type ProgramIo } from '../program.ts'
import { readSources } from './config-files.ts'
import { environmentOf } from './environment.ts'
import { helpOf, jsonValue, placeholderOf } from './setting-flags.ts'

const SERVICE = '--service'

const OTHERS = [
  ['ctl', 'Operate a running program through its control socket; see "ctl --help".'],
  ['health', 'Ask a running program whether it is ready; see "health --help".'],
  ['import', 'Translate a configuration of HAProxy or nginx to YAML; see "import --help".'],
] as const

export interface ServerRequest extends Reading {
  readonly command: 'serve' | 'check'
  readonly origin: string
  /** Empty if they are not watched. */
  readonly watched: readonly string[]
}

/** Commander puts settings beside it by their flags in camel case. */
interface Flags {
  readonly config?: readonly string[]
  readonly service?: readonly string[]
  readonly trust?: readonly string[]
  readonly [flag: string]: unknown
}

/** @param kept sources that were read before, instead of the files. */
export function serverRequest(
  args: readonly string[],
  io: ProgramIo,
  kept?: readonly Source[],
): ServerRequest {
  let checkedFiles: readonly string[] = []
  const command = serverCommand(io)
  command
    .command('check')
    .description(
      'Check a configuration, print what it comes to, and end with 0, or with 2 where it is wrong.',
    )
    .argument('<FILE...>', 'the configuration; options and environment are laid over it as they would be')
    .action((files: readonly string[]) => {
      checkedFiles = files
    })
  offerOthers(command)
  command.parse(args, { from: 'user' })
  const flags = command.opts<Flags>()
  // Read first, so that all faults are reported in this format.
  if ((flags['logFormat'] ?? io.env[`${VARIABLE_PREFIX}LOG_FORMAT`]) === 'json') io.log.format = 'json'
  const services = servicesOf(args, flags)
  const isCheck = checkedFiles.length > 0
  if (!isCheck) refuseOperands(command)
  else if (flags.config !== undefined) throw new ConfigError('check takes its FILE or --config, not both')
  const environment = environmentOf(io.env)
  const files = isCheck ? checkedFiles : (flags.config ?? environment.config)
  if (files.length === 0 && services.length === 0) {
    throw new ConfigError(
      `nothing to do: give ${SERVICE} SOURCE DEST, as in "${SERVICE} :10000 127.0.0.1:10007", or --config FILE`,
    )
  }
  const additions: Additions = { services, overrides: [...environment.overrides, ...overridesOf(flags)] }
  const origin = files.length === 0 ? 'the command line' : files.join(', ')
  const sources = kept ?? (files.length === 0 ? [{ origin, content: {} }] : readSources(files))
  const configuration = combineConfig(sources, additions)
  checkNetworkFiles(configuration.services)
  const watched = flags['watch'] === true ? files : []
  return { command: isCheck ? 'check' : 'serve', configuration, sources, origin, watched }
}

function serverCommand(io: ProgramIo): Command {
  const command = createCommand('proxyprotocol-server', io)
    .description(
      'A TCP proxy that puts a PROXY protocol header in front of each connection.\n\n' +
        'Options win over environment variables, and these over the file; check takes them too.',
    )
    .usage(
      `[options] [${SERVICE} SOURCE DEST...]... [--config FILE]...\n       proxyprotocol-server [options] check FILE...\n` +
        '       proxyprotocol-server ctl [--socket PATH] [--json] COMMAND\n       proxyprotocol-server health [--live] [HOST:PORT]\n' +
        '       proxyprotocol-server import FILE',
    )
    .helpCommand(false)
    .allowExcessArguments()
    .option(
      `${SERVICE} <SOURCE DEST...>`,
      'listen at SOURCE and connect to DEST, which gets a version 2 header; DEST?pp=v1 version 1, ?pp=noop none; ' +
        'several DEST take turns; SOURCE?pp=detect, v1 or v2 accepts headers from those that --trust names; repeatable',
    )
    .option(
      '--trust <CIDR>',
      `whose headers are believed at each SOURCE with pp of ${SERVICE}: networks, addresses, "unix" or "anyone"; repeatable, ` +
        'commas allowed',
      gather,
    )
    .option(
      '--config <FILE>',
      'a YAML or JSON file with services and settings, or a directory of them, which options win over; ' +
        'repeatable; PROXYPROTOCOL_CONFIG',
      gather,
    )
    .option('--watch', 'reload when a file of --config changes, as SIGHUP does')
    .addOption(new Option('--buf-len <BYTES>').hideHelp().argParser(refuseBufLen))
    .action(() => undefined)
  for (const setting of settings()) command.addOption(optionOf(setting))
  return command
}

/** For the help; runServer() takes them where they come first. */
function offerOthers(command: Command): void {
  for (const [name, description] of OTHERS) {
    command
      .command(name)
      .description(description)
      .allowExcessArguments()
      .action(() => {
        throw new ConfigError(`${name} must be the first argument`)
      })
  }
}

function optionOf(setting: Setting): Option {
  const { flag, node, ofService } = setting
  const short = node.short === undefined ? '' : `-${node.short}, `
  const option = new Option([`${short}--${flag}`, ...placeholderOf(setting)].join(' '), helpOf(setting))
  return option.helpGroup(ofService ? 'Limits and timeouts of every service:' : 'The program:')
}

/** Accepting this option of the Python library without effect would be worse. */
function refuseBufLen(): never {
  throw new InvalidArgumentError('Leave it out: buffers grow and shrink with each connection, within bounds.')
}

function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function refuseOperands({ args: [first] }: Command): void {
  if (first === undefined) return
  const meant = nearest(first, ['check', 'ctl', 'health', 'import'])
  const hint = meant
    ? `did you mean "${meant}"?`
    : 'there are "check FILE", "ctl COMMAND", "health" and "import FILE"'
  throw new ConfigError(`unknown command ${JSON.stringify(first)}; ${hint}`)
}

function overridesOf(flags: Flags): readonly Override[] {
  return settings().flatMap(setting => {
    const value = flags[setting.flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())]
    if (value === undefined) return []
    return [
      {
        setting,
        value: typeof value === 'string' ? jsonValue(value, setting) : (setting.node.bare ?? value),
        name: `--${setting.flag}`,
      },
    ]
  })
}

/** Commander gathers the values of all occurrences in one list. */
function servicesOf(args: readonly string[], { service = [], trust }: Flags): readonly ServiceInit[] {
  const starts = args.flatMap((arg, at) => (arg === SERVICE ? [at] : []))
  const pairs = starts.map(start => valuesFrom(args.slice(start + 1)))
  if (pairs.some(pair => pair.length < 2) || pairs.flat().length !== service.length) {
    throw new ConfigError(
      `${SERVICE} takes SOURCE and at least one DEST, once or more: ${SERVICE} :10000 127.0.0.1:10007`,
    )
  }
  const trusted = trust && parseTrust(trust)
  const services = pairs.map(([listen = '', upstream = '', ...others]) => ({
    ...(others.length === 0 ? { listen, upstream } : { listen, upstreams: [upstream, ...others] }),
    ...(trusted !== undefined && acceptsHeaders(listen) && { trust: trusted }),
  }))
  if (trust === undefined || services.some(each => 'trust' in each)) return services
  throw new ConfigError(
    `--trust needs a SOURCE that accepts headers: ${SERVICE} ':10000?pp=detect' 127.0.0.1:10007`,
  )
}

function valuesFrom(args: readonly string[]): readonly string[] {
  const end = args.findIndex(arg => arg.startsWith('-'))
  return end === -1 ? args : args.slice(0, end)
}
