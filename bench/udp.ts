// What a datagram costs: microseconds of CPU of each process for each datagram that it received and sent on, in
// interleaved rounds, with 64 clients that each keep one datagram of 64 bytes under way.
//
// npm run bench:udp                 nine rounds of 60,000 datagrams
// npm run bench:udp -- --rounds 3

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { setTimeout as pause } from 'node:timers/promises'
import { median } from './median.ts'
import { canPin, LOAD_CPU, pinned, PROXY_CPU } from './relay/cpus.ts'
import { echoes, HEADER, peer, relays, type UdpContender } from './udp/contenders.ts'

const FLOWS = 64
const WARM_UP = 60_000
const START_TIMEOUT = 10_000
const START_INTERVAL = 20

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, datagrams: { type: 'string', default: '60000' } },
})
const [rounds, datagrams] = [Number(values.rounds), Number(values.datagrams)]

interface Started {
  readonly name: string
  readonly port: number
  readonly child: ChildProcess
}

/** Microseconds of CPU for each datagram. */
interface Sample {
  readonly cost: number
  readonly lost: number
}

let nextPort = 21_000
console.log(
  `Node ${process.version}, ${rounds} rounds of ${datagrams} datagrams, ${FLOWS} clients of 64 bytes`,
)
if (!canPin) console.log('There is no taskset: the processes share all CPUs.')
const upstream = spawn(...split(pinned(LOAD_CPU, [peer, 'echo'])), { stdio: ['ignore', 'pipe', 'inherit'] })
const [line] = (await once(upstream.stdout, 'data')) as [Buffer]
await compare('relays: a version 2 header in front, except for nginx', relays(), '')
await compare('echo servers: a version 2 header in front of each datagram', echoes(), HEADER)
upstream.kill()

async function compare(title: string, contenders: readonly UdpContender[], header: string): Promise<void> {
  const started: Started[] = []
  for (const contender of contenders) {
    const one = await start(contender, Number(line))
    if (one) started.push(one)
  }
  try {
    for (const one of started) await run(one, header, WARM_UP)
    const samples = new Map(started.map(one => [one, [] as Sample[]]))
    for (let round = 0; round < rounds; round++) {
      const turn = started.map((_, index) => started[(index + round) % started.length] as Started) // below the length
      for (const one of turn) samples.get(one)?.push(await run(one, header, datagrams))
    }
    report(title, samples)
  } finally {
    for (const { child } of started) child.kill('SIGKILL')
  }
}

async function start(contender: UdpContender, to: number): Promise<Started | undefined> {
  const { name, environment } = contender
  const port = nextPort++
  const child = spawn(...split(pinned(PROXY_CPU, contender.command(port, to))), {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...process.env, ...environment },
  })
  const deadline = performance.now() + START_TIMEOUT
  while (!isBound(port)) {
    if (child.exitCode !== null || performance.now() > deadline) {
      console.error(`*** ${name} is LEFT OUT: it does not listen ***`)
      child.kill('SIGKILL')
      return undefined
    }
    await pause(START_INTERVAL)
  }
  return { name, port, child }
}

function isBound(port: number): boolean {
  return readFileSync('/proc/net/udp', 'utf8').includes(
    `:${port.toString(16).toUpperCase().padStart(4, '0')} `,
  )
}

/** A relay receives and sends a datagram twice, an echo server once. */
async function run({ port, child }: Started, header: string, count: number): Promise<Sample> {
  const passes = header === '' ? 2 : 1
  const before = cpuSeconds(child)
  const command = pinned(LOAD_CPU, [peer, 'load', `${port}`, `${FLOWS}`, `${count / passes}`, header])
  const load = spawn(...split(command), { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(load.stdout, 'data')) as [Buffer]
  const [back = 0, lost = 0] = said.toString().split(' ').map(Number)
  return { cost: ((cpuSeconds(child) - before) * 1e6) / (back * passes), lost }
}

/** Of all of its threads. */
function cpuSeconds({ pid }: ChildProcess): number {
  const tasks = `/proc/${String(pid)}/task`
  const each = readdirSync(tasks).map(task =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
  )
  return each.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e9
}

/** Ratios are those of the same round, because the machine's speed drifts. */
function report(title: string, samples: ReadonlyMap<Started, readonly Sample[]>): void {
  console.log(`\n${title}`)
  const [subject = []] = samples.values()
  for (const [{ name }, own] of samples) {
    const ratios = own.map(({ cost }, round) => (subject[round]?.cost ?? NaN) / cost)
    const lost = own.reduce((sum, each) => sum + each.lost, 0)
    const cells = [median(own.map(({ cost }) => cost)).toFixed(1), `first is ${median(ratios).toFixed(2)} x`]
    console.log(`  ${name.padEnd(16)} ${cells.join(' µs, ')}${lost > 0 ? `, ${lost} lost` : ''}`)
  }
}

function split([command, ...args]: readonly [string, ...string[]]): [string, string[]] {
  return [command, args]
}
