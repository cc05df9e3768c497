// The program itself, in a process of its own, with an admin listener to be scraped.

import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import type { Harness } from '../../harness.ts'

const BIN = fileURLToPath(
  new URL('../../../packages/proxyprotocol-server/bin/proxyprotocol-server.js', import.meta.url),
)

/** A service of a configuration file, which listens at a port of its own. */
export interface ServicePlan {
  readonly name: string
  readonly [key: string]: unknown
}

/** A configuration: its services without their listen addresses, but for what follows the port. */
export interface Plan {
  readonly services: readonly (ServicePlan & { readonly accepts?: string; readonly tls?: string })[]
  readonly workers?: number
}

export interface Program {
  /** Of the services, in their order. */
  readonly ports: readonly number[]
  readonly scrape: () => Promise<string>
  readonly end: () => Promise<void>
}

/** Starts it; it ends with the harness. */
export async function startProgram(harness: Harness, { services, ...rest }: Plan): Promise<Program> {
  const admin = await harness.port()
  const ports = await Promise.all(services.map(() => harness.port()))
  const listening = services.map(({ accepts, tls, ...service }, at) => {
    const address = `127.0.0.1:${String(ports[at])}`
    const listen = tls === undefined ? `${address}${accepts ?? ''}` : `ssl://${address}?${tls}`
    return { ...service, listen }
  })
  const configuration = { ...rest, services: listening, admin: { listen: `127.0.0.1:${admin}` } }
  const file = harness.file(`proxy-${admin}.json`, JSON.stringify(configuration))
  const node = { path: process.execPath, environment: {} }
  const running = await harness.start(node, [BIN, '--config', file], [admin, ...ports])
  if (rest.workers !== undefined) await running.said(new RegExp(` worker-started worker=${rest.workers} `))
  return { ports, scrape: () => scrape(admin), end: running.end }
}

async function scrape(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  assert.equal(response.status, 200)
  return response.text()
}
