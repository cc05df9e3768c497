// A client of gRPC that asks a server for the peer that it sees.

import type { TestContext } from 'node:test'
import { type ChannelCredentials, Client } from '@grpc/grpc-js'
import { relayTo } from './support.ts'

export function toBytes(text: string): Buffer {
  return Buffer.from(text)
}

/** Goes through a relay, because this client takes no socket. */
export async function askForPeer(
  t: TestContext,
  port: number,
  credentials: ChannelCredentials,
): Promise<string> {
  const client = new Client(`localhost:${await relayTo(t, port)}`, credentials)
  t.after(() => client.close())
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest('/example.Who/You', toBytes, String, 'who?', (error, answer) => {
      if (answer === undefined) reject(error ?? new Error('no answer'))
      else resolve(answer)
    })
  })
}
