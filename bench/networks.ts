// What a list of networks costs: to load it, and to look one peer up in it.
//
//   npm run bench:networks

import { compileNetworks } from 'proxyprotocol/server'

const LOOKUPS = 1_000_000
const SIZES = [1, 10_000, 100_000]

interface Family {
  readonly name: string
  readonly network: (n: number) => string
  readonly address: string
}

const families: readonly Family[] = [
  {
    name: 'IPv4',
    network: n => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
    address: '10.1.2.3',
  },
  {
    name: 'IPv6',
    network: n => `2001:db8:${(n >> 8).toString(16)}:${(n & 255).toString(16)}::/64`,
    address: '2001:db8:1:2::1',
  },
]

console.log(`Node ${process.versions.node}`)
for (const { name, network, address } of families) {
  for (const size of SIZES) {
    const list = Array.from({ length: size }, (_, n) => network(n))
    const start = process.cpuUsage()
    const holds = compileNetworks(list)
    const loaded = process.cpuUsage(start)
    const peer = { address, transport: 'tcp' } as const
    for (let i = 0; i < LOOKUPS / 10; i++) holds(peer)
    const warm = process.cpuUsage()
    for (let i = 0; i < LOOKUPS; i++) holds(peer)
    const asked = process.cpuUsage(warm)
    const load = (loaded.user + loaded.system) / 1_000
    const lookup = ((asked.user + asked.system) * 1_000) / LOOKUPS
    console.log(`${name}, ${size} networks: loaded in ${load.toFixed(1)} ms, ${lookup.toFixed(0)} ns a peer`)
  }
}
