// Suggests the option or command that was meant, if commander has no suggestion.

import type { Command } from 'commander'
import { ConfigError, nearest } from '../config/index.ts'

const MAX_HINTS = 6

export function withHint(text: string, command: Command): string {
  const [, flag] = /^error: unknown option '(-[^'=]+)[^']*'\n$/.exec(text) ?? []
  if (flag === undefined) return text
  const [first = ''] = command.args
  const meant = nearest(first, namesOf(command))
  const hints = meant === undefined || meant === first ? optionsLike(flag, command) : [meant]
  if (hints.length === 0) return text
  return `${text}(Did you mean ${hints.length === 1 ? '' : 'one of '}${hints.join(', ')}?)\n`
}

export function refuseExcess(command: Command, wanted: string): void {
  const [first = '', ...more] = command.args
  const meant = nearest(first, namesOf(command))
  if (meant !== undefined) {
    throw new ConfigError(`unknown command ${JSON.stringify(first)}; did you mean ${JSON.stringify(meant)}?`)
  }
  if (more.length === 0) return
  const got = command.args.map(arg => JSON.stringify(arg)).join(' ')
  throw new ConfigError(`the arguments must be ${wanted}, got ${got}`)
}

function namesOf(command: Command): readonly string[] {
  return command.commands.map(each => each.name())
}

function optionsLike(flag: string, command: Command): readonly string[] {
  const known = command.options.flatMap(({ long, hidden }) => (long === undefined || hidden ? [] : [long]))
  const words = flag.replace(/^-+/, '').split('-')
  const isLike = flag.startsWith('--')
    ? (option: string) => words.every(word => option.slice(2).split('-').includes(word))
    : (option: string) => option.startsWith(`--${words.join('')}`)
  return known.filter(isLike).slice(0, MAX_HINTS)
}
