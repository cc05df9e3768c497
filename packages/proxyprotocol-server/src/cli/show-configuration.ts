// A settled configuration for people: what `check` prints.

import { formatPlace, passName, type Configuration, type Service } from '../config/index.ts'

const HEADERS = { v1: 'a version 1 header', v2: 'a version 2 header', none: 'no header' } as const
const EXPECTED = { v1: 'version 1', v2: 'version 2', detect: 'either version' } as const
const OVER_LIMIT = { close: 'closed', reset: 'reset', pause: 'left waiting, unread' } as const

/** One paragraph for each service, and one for the program; ends with a line end. */
export function showConfiguration({ services, shutdown, log }: Configuration): string {
  const program = [
    'program',
    `after a signal accepts for ${ms(shutdown.readyDelay)} more, then lets connections finish for ${ms(shutdown.drain)}`,
    log.quiet ? 'logs only the connections that the upstream or the program failed' : 'logs each connection',
  ]
  return [...services.map(describe), program].map(([title, ...lines]) => paragraph(title, lines)).join('\n')
}

function describe(service: Service): readonly string[] {
  const { name, listen, upstream, accepts, header, limits, overLimit, timeouts } = service
  const { connections, perSource } = limits
  return [
    name,
    `listens at ${formatPlace(listen)}`,
    ...(accepts ? acceptance(service) : ['expects no header, and trusts nobody']),
    `connects to ${formatPlace(upstream)}, and sends it ${HEADERS[header]}`,
    `takes ${connections === undefined ? 'as many connections as its share of the open files allows' : `${String(connections)} connections`}, ` +
      `${perSource === Infinity ? 'any number' : String(perSource)} from one client; what is over that is ${OVER_LIMIT[overLimit]}`,
    `gives up connecting after ${ms(timeouts.connect)}; ${idling(timeouts.idle)}; waits ${ms(timeouts.halfClose)} for a client's end`,
    `asks silent peers after ${ms(timeouts.keepAlive)}; calls stuck what does not end ${ms(timeouts.abort)} after its abort`,
  ]
}

function acceptance({ accepts, pass, limits, timeouts }: Service): readonly string[] {
  const { version = 'detect', trust = [] } = accepts ?? {}
  const passed = [...pass].map(passName).join(', ')
  return [
    `expects a header of ${EXPECTED[version]} within ${ms(timeouts.header)}, of at most ${String(limits.headerBytes)} bytes; ` +
      `at most ${String(limits.pendingHeaders)} connections wait for theirs`,
    `trusts ${trust === 'anyone' ? 'anyone' : trust.join(', ')}`,
    `passes on ${passed === '' ? 'no TLVs' : `these TLVs: ${passed}`}`,
  ]
}

function idling(idle: number): string {
  return idle === Infinity ? 'never resets what is idle' : `resets what is idle for ${ms(idle)}`
}

function ms(duration: number): string {
  return `${String(duration)} ms`
}

function paragraph(title = '', lines: readonly string[]): string {
  return [title, ...lines.map(line => `  ${line}`), ''].join('\n')
}
