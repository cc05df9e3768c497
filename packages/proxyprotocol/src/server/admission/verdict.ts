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
export function ask({ validators, ...about }: Questions): Refusal | Promise<Refusal> {
  for (const [at, validator] of validators.entries()) {
    const refusal = askOne(validator, about)
    if (refusal instanceof Promise) {
      return refusal.then(first => first ?? ask({ validators: validators.slice(at + 1), ...about }))
    }
    if (refusal) return refusal
  }
  return undefined
}

function askOne(
  validator: Validator,
  { info, onFault }: Omit<Questions, 'validators'>,
): Refusal | Promise<Refusal> {
  function fail(cause: unknown): ProxyProtocolError {
    onFault(cause)
    return new ProxyProtocolError('denied_acl', { detail: 'a validator failed', cause })
  }
  try {
    const answer: unknown = validator(info)
    return isThenable(answer) ? Promise.resolve(answer).then(checked).catch(fail) : checked(answer)
  } catch (cause) {
    return fail(cause)
  }
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
