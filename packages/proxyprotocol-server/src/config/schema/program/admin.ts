// The section `admin`: the listener for health, metrics and statistics.

import { z } from 'zod'
import { type Address, type AddressError, parseAddress, type TcpAddress } from '../../address/index.ts'
import { ConfigError } from '../../text/index.ts'
import { meta } from '../keys.ts'

const LOOPBACK = '127.0.0.1'
const DEFAULT_PORT = 10_009

export interface AdminAddress extends TcpAddress {
  readonly host: string
}

export interface AdminSettings {
  readonly listen: AdminAddress
  readonly hosts: readonly string[]
  readonly readyNeeds: readonly string[]
}

export interface AdminSettingsInit {
  readonly listen?: string | undefined
  readonly hosts?: readonly string[] | undefined
  readonly readyNeeds?: readonly string[] | undefined
}

const listen = z
  .string()
  .meta({ examples: ['127.0.0.1:10009', ':10009'] }) // describes the text, because zod shows no output types
  .transform((text, { issues }) => {
    try {
      return parseAdmin(text)
    } catch (error) {
      const { message } = error as ConfigError // it throws nothing else
      issues.push({ code: 'custom', message, input: text })
    }
    return z.NEVER
  })
  .optional()
  .meta(
    meta({
      description:
        'Address of the admin listener for health, metrics and statistics: `HOST:PORT`; without HOST it is the ' +
        'loopback. Without this key there is none.',
      defaultIs: 'none',
      flag: 'admin',
      placeholder: 'HOST:PORT',
      bare: `${LOOPBACK}:${String(DEFAULT_PORT)}`,
    }),
  )

const hosts = z
  .array(z.string())
  .default([])
  .meta(
    meta({
      description: 'Allowed `Host` names besides localhost and IP addresses, against DNS rebinding.',
      flag: 'admin-hosts',
      placeholder: 'NAME,...',
    }),
  )

const readyNeeds = z
  .array(z.string().meta({ examples: ['web'] }))
  .default([])
  .meta(
    meta({
      description:
        'Names of services. `/readyz` answers 503 while one of them has no upstream that is up. A name also stands for all ' +
        'addresses of its list.',
      flag: 'ready-needs',
      placeholder: 'NAME,...',
    }),
  )

/**
 * Without a host it is the loopback.
 *
 * @throws {ConfigError} saying what the address must be.
 */
export function parseAdmin(text: string): AdminAddress {
  const address = parsed(text)
  if (address.transport === 'tcp' && address.tls === undefined && address.pp === undefined)
    return { ...address, host: address.host ?? LOOPBACK }
  throw new ConfigError(refused(address))
}

function parsed(text: string): Address {
  try {
    return parseAddress(text, { role: 'listen', defaultPort: DEFAULT_PORT })
  } catch (error) {
    throw new ConfigError((error as AddressError).problem) // it throws nothing else
  }
}

function refused({ transport, pp }: Address): string {
  if (pp !== undefined) return 'must have no "pp", because the admin listener reads no headers'
  if (transport === 'udp') return 'must be HOST:PORT of TCP, got "udp://"'
  return transport === 'unix'
    ? 'must be HOST:PORT, got a UNIX socket'
    : 'must have no TLS: the admin listener speaks plain HTTP, on loopback or in a private network'
}

export const adminSchema: z.ZodType<AdminSettings | undefined, AdminSettingsInit | undefined> = z
  .strictObject({ listen, hosts, readyNeeds })
  .prefault({})
  .check(({ value, issues }) => {
    if (value.listen !== undefined) return
    for (const key of ['hosts', 'readyNeeds'] as const) {
      if (value[key].length === 0) continue
      const message = 'must stand beside `listen`, which starts the admin listener'
      issues.push({ code: 'custom', message, path: [key], input: value[key] })
    }
  })
  .transform(given => (given.listen ? { ...given, listen: given.listen } : undefined))
  .meta(meta({ description: 'The admin listener.' }))
