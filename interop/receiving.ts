// Cases with the peer behind our software: each of our ways to send a header announces a client, in version 1 and 2, IPv4 and
// IPv6, and the peer must answer, or log, just that client.

import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { InetInit, Version } from 'proxyprotocol'
import { connect, connector, HeaderAgent, HeaderHttpsAgent } from 'proxyprotocol/client'
import { Client } from 'undici'
import { httpGet, responseOf, type Ends } from './asking.ts'
import { ca } from './certificates.ts'
import type { Case } from './peer.ts'
import { startRelay } from './relaying.ts'
import type { Harness } from './harness.ts'

/** A service of a peer that takes headers. */
export interface Target {
  readonly name: string
  readonly port: number
  /** Its TLS comes behind the header, with the certificate for `localhost`. */
  readonly tls?: boolean
  /** How to speak with it: HTTP, or what gets the answer out of an open connection. */
  readonly speak: 'http' | ((socket: Socket) => Promise<string>)
  readonly versions?: readonly Version[]
  /** Holds the answer, or the peer's log, against the ends that were announced. */
  check(answer: string, announced: Ends): void | Promise<void>
}

interface Door {
  readonly name: string
  /** Sends the header to the target, speaks with it, and gives the answer. */
  reach(target: Target, header: InetInit, harness: Harness): Promise<string>
}

const host = '127.0.0.1'
/** Each announced client has an address and a port of its own, so that no log shows another's. */
let clients = 0

/** A case for each version and each of our ways to send that speaks the target's protocol. */
export function receiving(target: Target, harness: Harness): readonly Case[] {
  const doors = target.speak === 'http' ? [...anyDoors, ...httpDoors] : anyDoors
  return doors.flatMap(door =>
    (target.versions ?? [1, 2]).map((version): Case => ({
      direction: 'receives',
      name: `${target.name}, v${version} by ${door.name}`,
      run: async () => {
        for (const header of announced(version)) await reach(target, { door, header, harness })
        return 'the client announced, IPv4 and IPv6'
      },
    })),
  )
}

async function reach(
  target: Target,
  { door, header, harness }: { door: Door; header: InetInit; harness: Harness },
): Promise<void> {
  const text = ({ address, port }: InetInit['source']): string => `${address} ${port}`
  const answer = await door.reach(target, header, harness)
  await target.check(answer, { source: text(header.source), destination: text(header.destination) })
}

function announced(version: Version): readonly InetInit[] {
  const n = (clients++ % 250) + 1
  const port = 40_000 + clients
  return [
    [`192.0.2.${n}`, '198.51.100.7'],
    [`2001:db8::${n}`, '2001:db8:ffff::7'],
  ].map(([source = '', destination = '']) => ({
    version,
    source: { address: source, port },
    destination: { address: destination, port: 443 },
  }))
}

const anyDoors: readonly Door[] = [
  {
    name: 'connect',
    reach: async (target, header) => speak(target, await openTo(target, header)),
  },
  {
    name: 'the relay',
    reach: async (target, header, harness) => {
      const port = await startRelay(harness, { to: target, sends: header.version ?? 2 })
      return speak(target, await connect({ host, port }, header))
    },
  },
]

const httpDoors: readonly Door[] = [
  {
    name: 'an agent',
    reach: async ({ port, tls }, header) => {
      const agent = tls ? new HeaderHttpsAgent({ header, ca }) : new HeaderAgent({ header })
      try {
        return await responseOf((tls ? https : http).get({ agent, host, port }))
      } finally {
        agent.destroy()
      }
    },
  },
  {
    name: 'undici',
    reach: async ({ port, tls }, header) => {
      const connecting = connector(header, tls ? { tls: { ca } } : {})
      const client = new Client(`${tls ? 'https' : 'http'}://${host}:${port}`, { connect: connecting })
      try {
        const { body } = await client.request({ method: 'GET', path: '/' })
        return await body.text()
      } finally {
        await client.close()
      }
    },
  },
]

function openTo({ port, tls }: Target, header: InetInit): Promise<Socket> {
  return tls ? connect({ host, port, tls: { ca } }, header) : connect({ host, port }, header)
}

async function speak({ speak: how }: Target, socket: Socket): Promise<string> {
  try {
    return await (how === 'http' ? httpGet(socket) : how(socket))
  } finally {
    socket.destroy()
  }
}
