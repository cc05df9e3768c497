// The keys of a service that say which clients may connect: `allow`, `deny`, `aclFrom` and `allowVpce`.

import { z } from 'zod'
import { type NetworkList, networkProblem } from '../../networks.ts'
import { meta } from '../keys.ts'

/** Whose address is checked. */
export type AclFrom = 'client' | 'peer'

/** Which clients may connect, with defaults. */
export interface AccessRules {
  /** Undefined if all others may. */
  readonly allow: NetworkList | undefined
  readonly deny: NetworkList
  readonly from: AclFrom
  /** Ids of AWS VPC endpoints; undefined if clients need none. */
  readonly vpce: readonly string[] | undefined
}

/** The same as users write it. */
export interface AccessInit {
  /** Clients that may connect: networks, addresses, `unix`, or `file:PATH` for a file with one of them a line. */
  readonly allow?: NetworkList | undefined
  /** Clients that may not, even if `allow` has them. */
  readonly deny?: NetworkList | undefined
  /** The address that both check: the client's (default), or the peer's. */
  readonly aclFrom?: AclFrom | undefined
  /** Ids of the AWS VPC endpoints that clients may use. */
  readonly allowVpce?: readonly string[] | undefined
}

const network = z
  .string()
  .check(({ value, issues }) => {
    const message = networkProblem(value)
    if (message !== undefined) issues.push({ code: 'custom', message, input: value })
  })
  .meta({ examples: ['192.0.2.0/24', '2001:db8::1', 'file:PATH'] })

const allowSchema: z.ZodType<NetworkList | undefined, NetworkList | undefined> = z
  .array(network)
  .min(1)
  .optional()
  .meta(
    meta({
      description:
        'Clients that may connect: networks, addresses, "unix", or `file:PATH` for a file with one of them a ' +
        'line. Others are refused, also clients without an address (UNKNOWN).',
      defaultIs: 'all except those in `deny`',
      flag: 'allow',
      placeholder: 'CIDR,...',
    }),
  )

const denySchema: z.ZodType<NetworkList | undefined, NetworkList | undefined> = z
  .array(network)
  .optional()
  .meta(
    meta({
      description: 'Clients that are refused, even if `allow` has them; the same kinds of entries.',
      defaultIs: 'none',
      flag: 'deny',
      placeholder: 'CIDR,...',
    }),
  )

const aclFromSchema: z.ZodType<AclFrom | undefined, AclFrom | undefined> = z
  .enum(['client', 'peer'])
  .optional()
  .meta(
    meta({
      description:
        'The address that `allow` and `deny` check: that of the client, from the header, or that of the peer.',
      defaultIs: '"client"',
      flag: 'acl-from',
    }),
  )

const allowVpceSchema: z.ZodType<readonly string[] | undefined, readonly string[] | undefined> = z
  .array(
    z
      .string()
      .regex(/^vpce-[A-Za-z0-9-]+$/, {
        error: ({ input }) =>
          `must be the id of a VPC endpoint such as "vpce-08d2bf15fac5001c9", got ${JSON.stringify(input)}`,
      })
      .meta({ examples: ['vpce-08d2bf15fac5001c9'] }),
  )
  .min(1)
  .optional()
  .meta(
    meta({
      description:
        'AWS VPC endpoints that clients must use, by the id in the version 2 header; `allow` and `deny` apply ' +
        'too.',
      defaultIs: 'any, and none',
    }),
  )

export const accessKeys: {
  readonly allow: typeof allowSchema
  readonly deny: typeof denySchema
  readonly aclFrom: typeof aclFromSchema
  readonly allowVpce: typeof allowVpceSchema
} = { allow: allowSchema, deny: denySchema, aclFrom: aclFromSchema, allowVpce: allowVpceSchema }

export function accessProblem(
  { allow, deny, aclFrom, allowVpce }: AccessInit,
  listen: readonly { readonly pp: string | undefined }[],
): { readonly key: keyof AccessInit; readonly message: string } | undefined {
  if (aclFrom !== undefined && allow === undefined && deny === undefined) {
    return { key: 'aclFrom', message: 'must stand beside `allow` or `deny`, got neither' }
  }
  const takesVersion2 = listen.every(({ pp }) => pp === 'v2' || pp === 'detect')
  if (allowVpce === undefined || takesVersion2) return undefined
  return {
    key: 'allowVpce',
    message: 'must stand where version 2 headers are accepted; did you mean "?pp=v2" behind `listen`?',
  }
}

export function accessRules({
  allow,
  deny = [],
  aclFrom: from = 'client',
  allowVpce: vpce,
}: AccessInit): AccessRules | undefined {
  return allow === undefined && deny.length === 0 && vpce === undefined
    ? undefined
    : { allow, deny, from, vpce }
}
