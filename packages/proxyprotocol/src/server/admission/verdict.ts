// Asks validators in order, in the same turn unless one returns a promise.

import type { Socket } from 'node:net'
import { quote } from '../../checks/index.ts'
import { ProxyProtocolError } from '../../codec/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'
import type { Validator } from './validators.ts'

export type Refusal = ProxyProtocolError | undefined

export interface Questions {
  readonly validators: readonly Validator[]
  readonly info: ConnectionInfo
  readonly onFault: (cause: unknown) => void
}

/** A promise only if a validator returns one. It never rejects. */
export function ask(questions: Questions): Refusal | Promise<Refusal> {
  const { validators } = questions
  for (let at = 0; at < validators.length; at++) {
    const refusal = askOne(validators[at] as Validator, questions) // there is one
    if (refusal instanceof Promise) {
      const others = { ...questions, validators: validators.slice(at + 1) }
      return refusal.then(first => first ?? ask(others))
    }
    if (refusal) return refusal
  }
  return undefined
}

function askOne(validator: Validator, { info, onFault }: Questions): Refusal | Promise<Refusal> {
  try {
    const answer: unknown = validator(info)
    if (answer === undefined) return undefined
    if (!isThenable(answer)) return checked(answer)
    return Promise.resolve(answer)
      .then(checked)
      .catch((cause: unknown) => failed(cause, onFault))
  } catch (cause) {
    return failed(cause, onFault)
  }
}

function failed(cause: unknown, onFault: Questions['onFault']): ProxyProtocolError {
  onFault(cause)
  return new ProxyProtocolError('denied_acl', { detail: 'a validator failed', cause })
}

/** Anything else is a mistake, above all `false`, and must not admit. */
function checked(answer: unknown): Refusal {
  if (answer === undefined || answer instanceof ProxyProtocolError) return answer
  throw new TypeError(`a validator must return undefined or a ProxyProtocolError, got ${quote(answer)}`)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | undefined | null)?.then === 'function'
}

/** Never rejects. */
export function whileOpen(socket: Socket, refusal: Promise<Refusal>, timeout: number): Promise<Refusal> {
  return new Promise(resolve => {
    const settle = (outcome: Refusal): void => {
      clearTimeout(timer)
      socket.off('error', onError).off('close', onClose)
      resolve(outcome)
    }
    function onError(cause: Error): void {
      settle(new ProxyProtocolError('client_reset', { cause }))
    }
    function onClose(): void {
      settle(new ProxyProtocolError('aborted'))
    }
    const timer = setTimeout(() => {
      const detail = 'a validator did not answer in time'
      settle(new ProxyProtocolError('header_timeout', { detail }))
    }, timeout).unref()
    socket.on('error', onError).on('close', onClose)
    void refusal.then(settle)
  })
}
