// Runs loads in interleaved rounds (A B C, B C A, ...), so that whatever else the machine does falls on all alike.

import { loads, type Load, type Sample } from './loads.ts'
import type { Peer } from './peer.ts'
import { Proxy } from './proxy.ts'
import type { Contender } from './proxies.ts'

export interface Plan {
  readonly rounds: number
  /** 1 for a whole run; a part of it for a quick one. */
  readonly scale: number
  /** Names of loads. */
  readonly only: readonly string[]
}

/** All rounds of one load, by the name of the proxy. */
export interface Measured {
  readonly load: Load
  readonly samples: ReadonlyMap<string, readonly Sample[]>
}

/** V8 goes on improving code for about 15,000 connections, but little by then. */
const WARM_UP_CONNECTIONS = 12_000
const QUICK_WARM_UP_CONNECTIONS = 5_000
/** Enough for the pools to be there; a process that is measured for its memory alone need not be fast. */
const FRESH_CONNECTIONS = 3_000
const WARM_UP_BYTES = 30e6
const TLS_WARM_UP_CONNECTIONS = 1_000
/** As OpenSSL sends them by default. */
const TICKETS = 2

export async function measure(
  contenders: readonly Contender[],
  peer: Peer,
  plan: Plan,
): Promise<readonly Measured[]> {
  const chosen = loads.filter(({ name }) => plan.only.length === 0 || plan.only.includes(name))
  const proxies = new Map<Contender, Proxy>()
  try {
    const lasting = chosen.filter(({ fresh }) => !fresh)
    for (const contender of contenders.filter(each => lasting.some(load => isAble(each, load)))) {
      proxies.set(contender, await Proxy.start(contender, peer))
    }
    for (const proxy of proxies.values()) await warmUp(proxy, peer, plan)
    const warm = new Set<WarmUp>()
    const measured: Measured[] = []
    for (const load of chosen) {
      await warmUpFor(load, { peer, proxies, warm })
      const run = (contender: Contender): Promise<Sample> =>
        load.fresh
          ? runFresh(contender, { load, peer, plan })
          : load.run(proxies.get(contender) as Proxy, { peer, scale: plan.scale }) // all were started
      const able = contenders.filter(contender => isAble(contender, load))
      measured.push({ load, samples: await rounds(able, plan, run) })
      console.error(`${load.name} done`)
    }
    return measured
  } finally {
    await Promise.all([...proxies.values()].map(proxy => proxy.stop()))
  }
}

function isAble({ corruptsTls, isBare }: Contender, { name, tls }: Load): boolean {
  return !(tls && corruptsTls) && !(isBare && name !== 'connections')
}

async function rounds(
  contenders: readonly Contender[],
  plan: Plan,
  run: (contender: Contender) => Promise<Sample>,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map(contenders.map(({ name }) => [name, [] as Sample[]]))
  for (let turn = 0; turn < plan.rounds * contenders.length; turn++) {
    const index = (turn + Math.floor(turn / contenders.length)) % contenders.length
    const contender = contenders[index] as Contender // the remainder is below the length
    samples.get(contender.name)?.push(await run(contender))
  }
  return samples
}

async function runFresh(
  contender: Contender,
  { load, peer, plan }: { readonly load: Load; readonly peer: Peer; readonly plan: Plan },
): Promise<Sample> {
  const proxy = await Proxy.start(contender, peer)
  try {
    await peer.do(`rate ${proxy.port} ${FRESH_CONNECTIONS} 64`)
    return await load.run(proxy, { peer, scale: plan.scale })
  } finally {
    await proxy.stop()
  }
}

/** And looks whether the upstream gets the header that it should. */
async function warmUp({ port, contender }: Proxy, peer: Peer, { scale }: Plan): Promise<void> {
  const count = scale < 1 ? QUICK_WARM_UP_CONNECTIONS : WARM_UP_CONNECTIONS
  const answer = await peer.do(`rate ${port} ${count} 64`)
  if (answer[contender.sends] !== count) {
    throw new Error(`${contender.name} sent ${answer[contender.sends]} headers of ${count}`)
  }
}

type WarmUp = (proxy: Proxy, peer: Peer) => Promise<void>

/** What else a load needs is done right before the first of its kind: it changes what V8 makes of the code that was warm. */
async function warmUpFor(
  load: Load,
  {
    peer,
    proxies,
    warm,
  }: { readonly peer: Peer; readonly proxies: ReadonlyMap<Contender, Proxy>; readonly warm: Set<WarmUp> },
): Promise<void> {
  const further = load.tls ? warmUpTls : warmUpBulk
  if (load.fresh || load.name === 'connections' || warm.has(further)) return
  warm.add(further)
  for (const [contender, proxy] of proxies) if (isAble(contender, load)) await further(proxy, peer)
}

async function warmUpBulk({ port }: Proxy, peer: Peer): Promise<void> {
  await peer.do(`bulk ${port} 8 ${WARM_UP_BYTES} ${WARM_UP_BYTES}`)
}

/** And looks whether all have the same to do after a handshake. */
async function warmUpTls({ tlsPort, contender }: Proxy, peer: Peer): Promise<void> {
  const { tickets } = await peer.do(`tls rate ${tlsPort} ${TLS_WARM_UP_CONNECTIONS} 64`)
  const expected = TICKETS * TLS_WARM_UP_CONNECTIONS
  if (tickets !== expected)
    throw new Error(`${contender.name} sent ${tickets} session tickets of ${expected}`)
  await peer.do(`tls bulk ${tlsPort} 8 ${WARM_UP_BYTES} ${WARM_UP_BYTES}`)
}
